/** Cell type annotation: a model learns the classes of labelled cells and names those of others. */
import {
  type AnnData,
  CategoricalColumn,
  denseMatrix,
  NumericColumn,
  type UnsDict,
} from "../data/mod.ts";
import { type Device, run } from "../gpu/mod.ts";
import {
  cls,
  fit,
  type FitEvent,
  type FitOptions,
  type PackedBatch,
  refuseUnknownKeys,
  splitCells,
} from "../lib/mod.ts";
import { type Prediction, UNKNOWN } from "./analysis/prediction.ts";
import type { PanelReport } from "./gene_panel.ts";
import { categoriesOf, cellsOf, knownLabels } from "./labels.ts";
import {
  cellInput,
  chooseGenes,
  type ChosenGenes,
  readTokens,
  START_OPTIONS,
  startModel,
  type StartOptions,
  usualRate,
} from "./learned_cells.ts";

import { cellRows, TRAINED_INPUT, type TrainedInput, TrainedModel } from "./trained.ts";

/** Settings of {@linkcode trainAnnotator}. */
export interface TrainAnnotatorOptions extends StartOptions {
  /** Column of `obs` with the labels; cells without one are left out. */
  readonly labelKey: string;
  /** Common names of labels; `null` leaves cells of that label out. */
  readonly labelMap?: Readonly<Record<string, string | null>>;
  /** Whether every class gives its share of the validating cells; true by default (published: false). */
  readonly stratify?: boolean;
  /** Share of the cells that validate; 0.1 by default. */
  readonly validation?: number;
  /** Recipe; what is not given is the published fine-tuning's, with learning rate 1e-3 for fresh weights. */
  readonly fit?: Omit<FitOptions, "objectives" | "prompt" | "split" | "seed">;
}

const TRAIN_OPTIONS = [
  ...START_OPTIONS,
  "labelKey",
  "labelMap",
  "stratify",
  "validation",
  "fit",
];

/** Genes and classes are known. */
export interface AnnotatorPrepared {
  /** Tells events apart. */
  readonly kind: "prepared";
  /** Genes that the model sees. */
  readonly genes: ChosenGenes;
  /** Cells of each class. */
  readonly classes: Readonly<Record<string, number>>;
  /** Cells without a label, which are left out. */
  readonly unlabelled: number;
  /** What a person should know, such as classes of one cell. */
  readonly notes: readonly string[];
}

/** The annotator is ready. */
export interface AnnotatorTrained {
  /** Tells events apart. */
  readonly kind: "trained";
  /** It belongs to the caller. */
  readonly annotator: TrainedModel;
}

/** What {@linkcode trainAnnotator} tells. */
export type AnnotatorEvent = AnnotatorPrepared | FitEvent | AnnotatorTrained;

/**
 * Trains a model to name cell types: classification alone, all weights, as published (learning rate 1e-4 times 0.9 an epoch, 10 epochs of
 * batches of 32, dropout 0.2, one in ten cells validating, best epoch kept). Paper: Methods, "Cell type annotation".
 *
 * @param adata Labelled cells, with counts in X
 * @param device Device that computes
 * @param options `labelKey` and settings
 * @returns Events; the last one has the annotator
 * @throws {RangeError} When the label column does not exist or has fewer than two classes, or a setting is out of range
 * @throws {TrainingError} When a loss is no number
 */
export async function* trainAnnotator(
  adata: AnnData,
  device: Device,
  options: TrainAnnotatorOptions,
): AsyncGenerator<AnnotatorEvent, void, undefined> {
  refuseUnknownKeys(options, TRAIN_OPTIONS, "train an annotator");
  const { seed = 0 } = options;
  const { rows, labels } = await knownLabels(adata, options.labelKey, options.labelMap);
  const cells = cellsOf(adata, rows);
  const { names: classes, codes, counts } = categoriesOf(labels);
  if (classes.length < 2) {
    throw new RangeError(
      `Cannot train an annotator as obs["${options.labelKey}"] must have at least two classes: got ${classes.length}`,
    );
  }
  const { signal } = options.fit ?? {};
  const genes = await chooseGenes(cells, { ...options, ...signal && { signal } });
  const unlabelled = adata.nObs - rows.length;
  yield { kind: "prepared", genes, classes: counts, unlabelled, notes: notesOf(counts) };

  const model = await startModel(device, genes.names, options, { nCls: classes.length });
  let handedOver = false;
  try {
    const input = cellInput(genes.names, options);
    const tokens = await readTokens(cells, model, input, { ...options, classes: codes, signal });
    const split = splitCells(tokens.keys, {
      seed,
      ...options.validation !== undefined && { validation: options.validation },
      ...(options.stratify ?? true) && { stratify: codes },
    });
    yield* fit(model, tokens, {
      lr: usualRate(options),
      ...options.fit,
      objectives: [cls()],
      split,
      seed,
    });
    handedOver = true;
    yield {
      kind: "trained",
      annotator: new TrainedModel(model, { task: "annotate", input, classes }),
    };
  } finally {
    if (!handedOver) model[Symbol.dispose]();
  }
}

function notesOf(counts: Readonly<Record<string, number>>): string[] {
  const single = Object.keys(counts).filter((name) => counts[name] === 1);
  if (single.length === 0) return [];
  return [`classes of one cell, which learn and cannot be validated: ${single.join(", ")}`];
}

/** Settings of {@linkcode annotate}. */
export interface AnnotateOptions extends TrainedInput {
  /** Cells whose best class has a smaller probability become "unknown"; 0 by default. */
  readonly minConfidence?: number;
  /** Called after each batch with the number of cells done. */
  readonly onProgress?: (done: number) => void;
}

/** Classes of cells. */
export interface Annotation extends Prediction {
  /** Class names, in the order of the columns of `probabilities`. */
  readonly classes: readonly string[];
  /** Probability of each class, row-major [cells, classes]. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** What was found of the model's genes. */
  readonly panel: PanelReport;
}

/**
 * Names cells by a trained annotator. A cell's probabilities depend on its row and name, the model and the seed alone.
 *
 * @param adata Cells, with counts or a monotone transform of them; the transform of the training cells where the annotator bins nothing
 * @param annotator What {@linkcode trainAnnotator} gave, or a loaded one
 * @param options Settings
 * @returns Labels, their probabilities, and those of all classes
 * @throws {RangeError} When too few of the model's genes are there, the model has no classes, or a value is negative or not finite
 */
export async function annotate(
  adata: AnnData,
  annotator: TrainedModel,
  options: AnnotateOptions = {},
): Promise<Annotation> {
  const known = [...TRAINED_INPUT, "minConfidence", "onProgress"];
  refuseUnknownKeys(options, known, "annotate");
  const { model, description: { classes, task } } = annotator;
  if (classes === undefined || !model.outputs.has("cls")) {
    throw new RangeError(
      `Cannot annotate as the model must have a class head: it was trained to ${task}`,
    );
  }
  const { minConfidence = 0, onProgress } = options;
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw new RangeError(
      `Cannot annotate as minConfidence must be in [0, 1]: got ${minConfidence}`,
    );
  }
  const softmaxOf = (batch: PackedBatch) =>
    run("softmax", { x: model.forward(batch, ["cls"]).cls }, {}).y;
  const { values: probabilities, panel } = await cellRows(adata, annotator, options, {
    width: classes.length,
    rows: softmaxOf,
    done: onProgress,
  });
  return { ...bestClasses(probabilities, classes, minConfidence), classes, probabilities, panel };
}

/** The best class of each cell; the first of equal ones. probabilities [cells, classes] */
export function bestClasses(
  probabilities: Float32Array,
  classes: readonly string[],
  minConfidence: number,
): Prediction {
  const cells = probabilities.length / classes.length;
  const confidence = new Float32Array(cells);
  const labels = Array.from({ length: cells }, (_, cell) => {
    const row = probabilities.subarray(cell * classes.length, (cell + 1) * classes.length);
    let best = 0;
    for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
    confidence[cell] = row[best]!;
    return row[best]! < minConfidence ? UNKNOWN : classes[best]!;
  });
  return { labels, confidence };
}

/**
 * The cells with labels and confidences in `obs`, the probabilities of all classes in `obsm["<key>_probabilities"]`, and a manifest and the
 * class names in `uns["scgpt"]`.
 *
 * @param adata The cells that were annotated
 * @param annotation What was found
 * @param options Name of the label column (default "scgpt_label") and the manifest
 */
export function attachAnnotation(
  adata: AnnData,
  annotation: Annotation,
  options: { readonly key?: string; readonly manifest?: UnsDict } = {},
): AnnData {
  refuseUnknownKeys(options, ["key", "manifest"], "attach an annotation");
  const { key = "scgpt_label", manifest } = options;
  const { labels, confidence, classes, probabilities } = annotation;
  return adata.with({
    obs: adata.obs
      .with(key, CategoricalColumn.from(labels))
      .with(`${key}_confidence`, new NumericColumn(confidence)),
    obsm: { [`${key}_probabilities`]: denseMatrix(probabilities, [adata.nObs, classes.length]) },
    uns: { scgpt: { ...manifest, classes: [...classes] } },
  });
}
