/** Annotation judged honestly: a model trained with several seeds beside the baselines, on the same cells. */
import type { AnnData } from "../../data/mod.ts";
import type { Device } from "../../gpu/mod.ts";
import { type FitEpoch, refuseUnknownKeys } from "../../lib/mod.ts";
import {
  annotate,
  type Annotation,
  type AnnotatorEvent,
  type AnnotatorTrained,
  trainAnnotator,
  type TrainAnnotatorOptions,
} from "../annotate.ts";
import { annotationBaselines, compareMethods } from "../baselines/compare.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import { readCells } from "../baselines/read_cells.ts";
import { labelsOf } from "../map_reference.ts";
import { type ClassificationReport, classificationReport } from "../metrics/classification.ts";
import type { LossRun } from "../plots/losses.ts";
import type { TrainedModel } from "../trained.ts";
import { embedTrained } from "./embed_trained.ts";
import { checkSeeds, lossCurves, type MethodResults, ResultTable } from "./method_results.ts";

/** Settings of {@linkcode evaluateAnnotation}. */
export interface EvaluateAnnotationOptions {
  /** How each annotator is trained. */
  readonly train: Omit<TrainAnnotatorOptions, "seed">;
  /** Column of the query's `obs` with the true labels; that of the training cells by default. */
  readonly queryLabelKey?: string;
  /** Common names of the query's labels; `null` leaves cells out. */
  readonly queryLabelMap?: Readonly<Record<string, string | null>>;
  /** Matrix of the query; that of the training cells by default. */
  readonly queryLayer?: string;
  /** Least part of the model's genes that the query must have; 0.5 by default. */
  readonly minCoverage?: number;
  /** Seeds, one training each; 1, 2, 3 by default. */
  readonly seeds?: readonly number[];
}

const OPTIONS = [
  "train",
  "queryLabelKey",
  "queryLabelMap",
  "queryLayer",
  "minCoverage",
  "seeds",
];

/** Name of the trained model in tables. */
export const TRAINED_METHOD = "scGPT, trained";

/** A training goes on. */
export interface EvaluationTraining<E> {
  /** Tells events apart. */
  readonly kind: "training";
  /** Seed. */
  readonly seed: number;
  /** What happened. */
  readonly event: E;
}

/** An annotator has named the query. */
export interface AnnotatorEvaluated {
  /** Tells events apart. */
  readonly kind: "annotated";
  /** Seed. */
  readonly seed: number;
  /** The annotator; it is freed after this event. */
  readonly annotator: TrainedModel;
  /** Labels of all query cells. */
  readonly annotation: Annotation;
}

/** A method has a result. */
export interface MethodEvaluated<R> {
  /** Tells events apart. */
  readonly kind: "method";
  /** Name of the method. */
  readonly method: string;
  /** Its seed; null for a baseline, which has one result. */
  readonly seed: number | null;
  /** Scores. */
  readonly result: R;
  /** Wall time of learning and predicting. */
  readonly seconds: number;
}

/** Scores of all methods, and what the figures are drawn from. */
export interface AnnotationEvaluation {
  /** The trained model first, then the baselines. */
  readonly methods: readonly MethodResults<ClassificationReport>[];
  /** Seeds. */
  readonly seeds: readonly number[];
  /** Losses of the trainings. */
  readonly losses: readonly LossRun[];
  /** Cells of each class in training. */
  readonly classes: Readonly<Record<string, number>>;
  /** How the genes were chosen. */
  readonly genes: string;
  /** Rows of the query whose true label is known: those that are scored. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Their true labels. */
  readonly truth: readonly string[];
  /** Their labels by the first seed's annotator. */
  readonly predicted: readonly string[];
  /** Their embeddings by it. */
  readonly embedding: CellEmbedding;
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** What {@linkcode evaluateAnnotation} tells. */
export type AnnotationEvaluationEvent =
  | EvaluationTraining<Exclude<AnnotatorEvent, AnnotatorTrained>>
  | AnnotatorEvaluated
  | MethodEvaluated<ClassificationReport>
  | { readonly kind: "result"; readonly result: AnnotationEvaluation };

/**
 * Trains an annotator for each seed, names the query's cells by it and by majority, kNN on principal components and logistic regressions, and
 * scores all of them on the query cells with a true label. Nothing is learned or chosen from the query.
 *
 * @param train Labelled cells
 * @param query Cells with known labels that are to be found
 * @param device Device that computes
 * @param options Recipe and seeds
 * @returns Events; the last one has the result
 * @throws {RangeError} When labels are missing, a setting is out of range, or the query lacks the genes
 */
export async function* evaluateAnnotation(
  train: AnnData,
  query: AnnData,
  device: Device,
  options: EvaluateAnnotationOptions,
): AsyncGenerator<AnnotationEvaluationEvent, void, undefined> {
  refuseUnknownKeys(options, OPTIONS, "evaluate annotation");
  const { train: recipe, seeds = [1, 2, 3] } = options;
  checkSeeds(seeds);
  const { rows, truth } = await scoredCells(query, options);
  const table = new ResultTable<ClassificationReport>();
  const losses: LossRun[] = [];
  let first: FirstSeed | undefined;
  for (const seed of seeds) {
    const began = performance.now();
    const epochs: FitEpoch[] = [];
    let prepared: Prepared | undefined;
    for await (const event of trainAnnotator(train, device, { ...recipe, seed })) {
      if (event.kind !== "trained") {
        if (event.kind === "epoch") epochs.push(event);
        if (event.kind === "prepared") prepared = event;
        yield { kind: "training", seed, event };
        continue;
      }
      using annotator = event.annotator;
      const annotation = await annotate(query, annotator, reading(options, seed));
      const seconds = (performance.now() - began) / 1000;
      const predicted = Array.from(rows, (row) => annotation.labels[row]!);
      const result = classificationReport(truth, predicted);
      table.add(TRAINED_METHOD, result, seconds);
      losses.push(lossCurves(epochs));
      const { minConfidence: _, ...embedding } = reading(options, seed);
      first ??= {
        prepared: prepared!,
        predicted,
        embedding: await embedTrained(query.select({ obs: [...rows] }), annotator, embedding),
      };
      yield { kind: "annotated", seed, annotator, annotation };
      yield { kind: "method", method: TRAINED_METHOD, seed, result, seconds };
    }
  }
  for await (const event of scoredBaselines(train, query, { device, rows, truth, options })) {
    table.add(event.method, event.result, event.seconds);
    yield event;
  }
  const { prepared, predicted, embedding } = first!;
  yield {
    kind: "result",
    result: {
      methods: table.rows(),
      seeds,
      losses,
      classes: prepared.classes,
      genes: `${prepared.genes.names.length}, ${prepared.genes.how}`,
      rows,
      truth,
      predicted,
      embedding,
      notes: notesOf(prepared, truth, query.nObs),
    },
  };
}

type Prepared = Extract<AnnotatorEvent, { kind: "prepared" }>;

interface FirstSeed {
  readonly prepared: Prepared;
  readonly predicted: readonly string[];
  readonly embedding: CellEmbedding;
}

/** How the query is read. */
function reading(
  { train: { layer, geneColumn, fit }, queryLayer = layer, minCoverage }: EvaluateAnnotationOptions,
  seed: number,
) {
  return {
    seed,
    minConfidence: 0,
    ...queryLayer !== undefined && { layer: queryLayer },
    ...geneColumn !== undefined && { geneColumn },
    ...minCoverage !== undefined && { minCoverage },
    ...fit?.signal && { signal: fit.signal },
  };
}

async function scoredCells(
  query: AnnData,
  { train: { labelKey }, queryLabelKey = labelKey, queryLabelMap }: EvaluateAnnotationOptions,
): Promise<{ rows: Uint32Array<ArrayBuffer>; truth: string[] }> {
  const all = await labelsOf(query, queryLabelKey, queryLabelMap);
  const rows = all.flatMap((label, row) => label === null ? [] : [row]);
  if (rows.length === 0) {
    throw new RangeError(
      `Cannot evaluate as a query cell must have a label in obs["${queryLabelKey}"]: none has`,
    );
  }
  return { rows: Uint32Array.from(rows), truth: rows.map((row) => all[row]!) };
}

async function* scoredBaselines(
  train: AnnData,
  query: AnnData,
  { device, rows, truth, options }: {
    readonly device: Device;
    readonly rows: Uint32Array;
    readonly truth: readonly string[];
    readonly options: EvaluateAnnotationOptions;
  },
): AsyncGenerator<MethodEvaluated<ClassificationReport>, void, undefined> {
  const { labelKey, labelMap, layer = "X", fit } = options.train;
  const all = await labelsOf(train, labelKey, labelMap);
  const known = all.flatMap((label, row) => label === null ? [] : [row]);
  const labels = all.filter((label) => label !== null);
  const reference = await readCells(train.select({ obs: known }), layer);
  const asked = await readCells(query.select({ obs: [...rows] }), options.queryLayer ?? layer);
  const stop = fit?.signal && { signal: fit.signal };
  const methods = annotationBaselines(device, { ...reference, labels }, asked, stop);
  for await (const { method, report, seconds } of compareMethods(truth, methods, stop)) {
    yield { kind: "method", method, seed: null, result: report, seconds };
  }
}

function notesOf(
  { unlabelled, classes, notes }: Prepared,
  truth: readonly string[],
  queryCells: number,
): string[] {
  const own = new Set(Object.keys(classes));
  const unseen = [...new Set(truth)].filter((label) => !own.has(label)).sort();
  const unscored = queryCells - truth.length;
  return [
    ...unlabelled > 0 ? [`${unlabelled} training cells have no label and were left out`] : [],
    ...unscored > 0 ? [`${unscored} query cells have no label and are not scored`] : [],
    ...unseen.length > 0
      ? [`labels of the query that training cells lack count as wrong: ${unseen.join(", ")}`]
      : [],
    ...notes,
  ];
}
