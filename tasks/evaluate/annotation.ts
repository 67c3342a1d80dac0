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
import type { CellEmbedding } from "../baselines/integration.ts";
import { type ClassificationReport, classificationReport } from "../metrics/classification.ts";
import type { LossRun } from "../plots/losses.ts";
import type { TrainedInput, TrainedModel } from "../trained.ts";
import { meanAnnotation } from "../mean_annotation.ts";
import { embedTrained } from "./embed_trained.ts";
import {
  checkSeeds,
  ENSEMBLE_METHOD,
  type EvaluationTraining,
  lossCurves,
  type MethodEvaluated,
  type MethodResults,
  ResultTable,
  TRAINED_METHOD,
} from "./method_results.ts";
import { type KnownCells, knownCells, scoredBaselines } from "./scored_cells.ts";

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

/** Scores of all methods, and what the figures are drawn from. */
export interface AnnotationEvaluation {
  /** The trained model first; with several seeds, the mean of their class probabilities; then the baselines. */
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
 * Trains an annotator for each seed, names the query's cells by it, by the mean of all seeds' class probabilities, and by majority, kNN on
 * principal components and logistic regressions, and scores all of them on the query cells with a true label. Nothing is learned or chosen from the query.
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { evaluateAnnotation } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const index = Array.from({ length: 60 }, (_, cell) => `cell${cell}`);
 * const counts = index.flatMap((_, cell) => cell % 2 ? [9, 7, 0, 1 + cell % 3] : [0, 1 + cell % 5, 8, 6]);
 * const cells = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.from(counts), [60, 4]),
 *   obs: new DataFrame({ index }).with("kind", index.map((_, cell) => cell % 2 ? "B" : "T")),
 *   var: new DataFrame({ index: ["MS4A1", "CD19", "CD3D", "CD3E"] }),
 * });
 * const rows = (from: number, to: number) => cells.select({ obs: [...index.keys()].slice(from, to) });
 * await using device = await openWasmDevice({ threads: 1 });
 * const recipe = { labelKey: "kind", nTopGenes: Infinity, config: { nlayers: 1 }, fit: { epochs: 4 } };
 * const options = { train: recipe, seeds: [1] };
 * for await (const event of evaluateAnnotation(rows(0, 40), rows(40, 60), device, options)) {
 *   if (event.kind !== "result") continue;
 *   assert.deepEqual(event.result.methods.map(({ method }) => method).slice(0, 2), ["scGPT, trained", "majority"]);
 * }
 * ```
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
  const { train: recipe, seeds = [1, 2, 3], queryLabelKey = recipe.labelKey } = options;
  checkSeeds(seeds);
  const known = await knownCells(train, recipe);
  const asked = await knownCells(query, {
    labelKey: queryLabelKey,
    labelMap: options.queryLabelMap,
  });
  const table = new ResultTable<ClassificationReport>();
  const runs: SeedRun[] = [];
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
      const predicted = Array.from(asked.rows, (row) => annotation.labels[row]!);
      const result = classificationReport(asked.labels, predicted);
      const embedding = await embedTrained(asked.cells, annotator, reading(options, seed));
      const losses = lossCurves(epochs);
      runs.push({ prepared: prepared!, annotation, predicted, embedding, losses, seconds });
      yield { kind: "annotated", seed, annotator, annotation };
      yield table.add({ kind: "method", method: TRAINED_METHOD, seed, result, seconds });
    }
  }
  if (runs.length > 1) yield table.add(ensembleResult(runs, asked));
  const sides = { known, asked, knownLayer: recipe.layer, askedLayer: queryLayerOf(options) };
  for await (const event of scoredBaselines(device, sides, recipe.fit?.signal)) {
    yield table.add(event);
  }
  const notes = notesOf(runs[0]!.prepared, asked, query.nObs);
  yield {
    kind: "result",
    result: { ...gathered(runs, asked), methods: table.rows(), seeds, notes },
  };
}

type Prepared = Extract<AnnotatorEvent, { kind: "prepared" }>;

/** What one seed leaves. */
interface SeedRun {
  readonly prepared: Prepared;
  readonly annotation: Annotation;
  readonly predicted: readonly string[];
  readonly embedding: CellEmbedding;
  readonly losses: LossRun;
  readonly seconds: number;
}

/** Score of the mean of all seeds' class probabilities; it takes the time of all of them. */
function ensembleResult(
  runs: readonly SeedRun[],
  { rows, labels: truth }: KnownCells,
): MethodEvaluated<ClassificationReport> {
  const { labels } = meanAnnotation(runs.map(({ annotation }) => annotation));
  const result = classificationReport(truth, Array.from(rows, (row) => labels[row]!));
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  return { kind: "method", method: ENSEMBLE_METHOD, seed: null, result, seconds };
}

function gathered(
  runs: readonly SeedRun[],
  { rows, labels }: KnownCells,
): Omit<AnnotationEvaluation, "methods" | "seeds" | "notes"> {
  const { prepared: { classes, genes }, predicted, embedding } = runs[0]!;
  return {
    losses: runs.map((run) => run.losses),
    classes,
    genes: `${genes.names.length}, ${genes.how}`,
    rows,
    truth: labels,
    predicted,
    embedding,
  };
}

function queryLayerOf({ train, queryLayer = train.layer }: EvaluateAnnotationOptions) {
  return queryLayer;
}

/** How the query is read. */
function reading(options: EvaluateAnnotationOptions, seed: number): TrainedInput {
  const { train: { geneColumn, fit }, minCoverage } = options;
  const layer = queryLayerOf(options);
  return {
    seed,
    ...layer !== undefined && { layer },
    ...geneColumn !== undefined && { geneColumn },
    ...minCoverage !== undefined && { minCoverage },
    ...fit?.signal && { signal: fit.signal },
  };
}

function notesOf(
  { unlabelled, classes, notes }: Prepared,
  { labels }: KnownCells,
  queryCells: number,
): string[] {
  const own = new Set(Object.keys(classes));
  const unseen = [...new Set(labels)].filter((label) => !own.has(label)).sort();
  const unscored = queryCells - labels.length;
  return [
    ...unlabelled > 0 ? [`${unlabelled} training cells have no label and were left out`] : [],
    ...unscored > 0 ? [`${unscored} query cells have no label and are not scored`] : [],
    ...unseen.length > 0
      ? [`labels of the query that training cells lack count as wrong: ${unseen.join(", ")}`]
      : [],
    ...notes,
  ];
}
