/** Integration judged honestly: a model trained with several seeds beside the baselines and beside random weights. */
import type { AnnData } from "../../data/mod.ts";
import type { Device } from "../../gpu/mod.ts";
import { type FitEpoch, freshModel, refuseUnknownKeys } from "../../lib/mod.ts";
import { type CellEmbedding, integrationBaselines } from "../baselines/integration.ts";
import { readCells } from "../baselines/read_cells.ts";
import {
  integrate,
  type IntegrationEvent,
  type IntegrationTrained,
  trainIntegration,
  type TrainIntegrationOptions,
} from "../integrate.ts";
import { labelsOf } from "../labels.ts";
import { type IntegrationReport, integrationReport } from "../metrics/integration_report.ts";
import type { LossRun } from "../plots/losses.ts";
import { TrainedModel } from "../trained.ts";
import {
  checkSeeds,
  type EvaluationTraining,
  lossCurves,
  type MethodEvaluated,
  type MethodResults,
  RANDOM_METHOD,
  ResultTable,
  TRAINED_METHOD,
} from "./method_results.ts";
import { knownCells } from "./scored_cells.ts";

/** Settings of {@linkcode evaluateIntegration}. */
export interface EvaluateIntegrationOptions {
  /** How each model is trained. */
  readonly train: Omit<TrainIntegrationOptions, "seed">;
  /** Column of `obs` with the cell types that the metrics are about; no method sees it, and cells without one are left out. */
  readonly labelKey: string;
  /** Common names of labels; `null` leaves cells out. */
  readonly labelMap?: Readonly<Record<string, string | null>>;
  /** Seeds, one training each; 1, 2, 3 by default. */
  readonly seeds?: readonly number[];
}

/** Scores of all methods, and what the figures are drawn from. */
export interface IntegrationEvaluation {
  /** The trained model first, then random weights and the baselines. */
  readonly methods: readonly MethodResults<IntegrationReport>[];
  /** Seeds. */
  readonly seeds: readonly number[];
  /** Losses of the trainings. */
  readonly losses: readonly LossRun[];
  /** How the genes were chosen. */
  readonly genes: string;
  /** Cell type of each scored cell. */
  readonly labels: readonly string[];
  /** Batch of each scored cell. */
  readonly batches: readonly string[];
  /** Embeddings by method, of the first seed. */
  readonly embeddings: ReadonlyMap<string, CellEmbedding>;
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** What {@linkcode evaluateIntegration} tells. */
export type IntegrationEvaluationEvent =
  | EvaluationTraining<Exclude<IntegrationEvent, IntegrationTrained>>
  | {
    /** Tells events apart. */
    readonly kind: "integrated";
    /** Seed. */
    readonly seed: number;
    /** The model; it is freed after this event. */
    readonly integrator: TrainedModel;
  }
  | MethodEvaluated<IntegrationReport>
  | { readonly kind: "result"; readonly result: IntegrationEvaluation };

/**
 * Trains a model for each seed on all cells without their types, and scores its embeddings, those of the same model with random weights, of
 * the variable genes, of their principal components and of Harmony by scib's and scib-metrics' definitions.
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { evaluateIntegration } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const index = Array.from({ length: 80 }, (_, cell) => `cell${cell}`);
 * const counts = index.flatMap((_, i) => i % 2 ? [9, 7, 0, 1 + i % 3] : [0, 1 + i % 5, 8, 6]);
 * const cells = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.from(counts), [80, 4]),
 *   obs: new DataFrame({ index })
 *     .with("kind", index.map((_, cell) => cell % 2 ? "B" : "T"))
 *     .with("batch", index.map((_, cell) => cell < 40 ? "one" : "two")),
 *   var: new DataFrame({ index: ["MS4A1", "CD19", "CD3D", "CD3E"] }),
 * });
 * await using device = await openWasmDevice({ threads: 1 });
 * const train = { batchKey: "batch", nTopGenes: Infinity, config: { nlayers: 1 }, fit: { epochs: 1 } };
 * const options = { train, labelKey: "kind", seeds: [1] };
 * for await (const event of evaluateIntegration(cells, device, options)) {
 *   if (event.kind === "result") assert.equal(event.result.methods.length, 5);
 * }
 * ```
 *
 * @param adata Cells of at least two batches, with counts in X
 * @param device Device that computes
 * @param options Batches, types, recipe and seeds
 * @returns Events; the last one has the result
 * @throws {RangeError} When labels or batches are missing, or a setting is out of range
 */
export async function* evaluateIntegration(
  adata: AnnData,
  device: Device,
  options: EvaluateIntegrationOptions,
): AsyncGenerator<IntegrationEvaluationEvent, void, undefined> {
  refuseUnknownKeys(options, ["train", "labelKey", "labelMap", "seeds"], "evaluate integration");
  const { train, seeds = [1, 2, 3] } = options;
  checkSeeds(seeds);
  const { cells, labels } = await knownCells(adata, options);
  const batches = (await labelsOf(cells, train.batchKey)).map(String);
  const leftOut = adata.nObs - cells.nObs;
  const judge = await judgeOf(cells, { device, labels, batches, options });
  const table = new ResultTable<IntegrationReport>();
  const embeddings = new Map<string, CellEmbedding>();
  const losses: LossRun[] = [];
  let genes = "";
  const score = async (
    method: string,
    seed: number | null,
    embed: () => Promise<CellEmbedding>,
    before = 0,
  ): Promise<MethodEvaluated<IntegrationReport>> => {
    const began = performance.now();
    const embedding = await embed();
    const seconds = before + (performance.now() - began) / 1000;
    if (!embeddings.has(method)) embeddings.set(method, embedding);
    const result = await judge.report(embedding);
    return table.add({ kind: "method", method, seed, result, seconds });
  };
  for (const seed of seeds) {
    const began = performance.now();
    const epochs: FitEpoch[] = [];
    for await (const event of trainIntegration(cells, device, { ...train, seed })) {
      if (event.kind !== "trained") {
        if (event.kind === "epoch") epochs.push(event);
        if (event.kind === "prepared") genes = `${event.genes.names.length}, ${event.genes.how}`;
        yield { kind: "training", seed, event };
        continue;
      }
      using integrator = event.integrator;
      const training = (performance.now() - began) / 1000;
      losses.push(lossCurves(epochs));
      const embed = (model: TrainedModel) => () => embedded(cells, model, options, seed);
      yield { kind: "integrated", seed, integrator };
      yield await score(TRAINED_METHOD, seed, embed(integrator), training);
      using random = await untrained(integrator, seed);
      yield await score(RANDOM_METHOD, seed, embed(random));
    }
  }
  for (const [method, embed] of Object.entries(judge.baselines)) {
    train.fit?.signal?.throwIfAborted();
    yield await score(method, null, embed);
  }
  const notes = leftOut > 0 ? [`${leftOut} cells have no type and were left out`] : [];
  const methods = table.rows();
  const result = { methods, seeds, losses, genes, labels, batches, embeddings, notes };
  yield { kind: "result", result };
}

/** The baselines, and the metrics, whose principal components before integration are those of the baseline. */
async function judgeOf(
  cells: AnnData,
  { device, labels, batches, options: { train: { layer, fit } } }: {
    readonly device: Device;
    readonly labels: readonly string[];
    readonly batches: readonly string[];
    readonly options: EvaluateIntegrationOptions;
  },
) {
  const stop = fit?.signal && { signal: fit.signal };
  const baselines = integrationBaselines(await readCells(cells, layer), batches, stop);
  const rowsOf = ({ embeddings, nDims }: CellEmbedding) => ({
    nRows: labels.length,
    nCols: nDims,
    data: embeddings,
  });
  let before: Promise<CellEmbedding> | undefined;
  return {
    baselines,
    report: async (embedding: CellEmbedding): Promise<IntegrationReport> => {
      before ??= baselines["HVG + PCA"]!();
      const judged = {
        embedding: rowsOf(embedding),
        labels,
        batches,
        before: rowsOf(await before),
      };
      return await integrationReport(device, judged, stop);
    },
  };
}

async function embedded(
  cells: AnnData,
  model: TrainedModel,
  { train: { batchKey, layer, geneColumn, fit } }: EvaluateIntegrationOptions,
  seed: number,
): Promise<CellEmbedding> {
  const { embeddings, width } = await integrate(cells, model, {
    batchKey,
    seed,
    ...layer !== undefined && { layer },
    ...geneColumn !== undefined && { geneColumn },
    ...fit?.signal && { signal: fit.signal },
  });
  return { embeddings, nDims: width };
}

/** The same model as it was before training, from fresh weights. */
async function untrained(
  { model: { device, config, vocab }, description }: TrainedModel,
  seed: number,
): Promise<TrainedModel> {
  return new TrainedModel(await freshModel(device, { config, vocab, seed }), description);
}
