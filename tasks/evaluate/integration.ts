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
import { labelsOf } from "../map_reference.ts";
import { type IntegrationReport, integrationReport } from "../metrics/integration_report.ts";
import type { LossRun } from "../plots/losses.ts";
import { TrainedModel } from "../trained.ts";
import { type EvaluationTraining, type MethodEvaluated, TRAINED_METHOD } from "./annotation.ts";
import { checkSeeds, lossCurves, type MethodResults, ResultTable } from "./method_results.ts";

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

/** Name of the untrained model in tables. */
const RANDOM_METHOD = "scGPT, random weights";

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
  const { cells, labels, batches, leftOut } = await typedCells(adata, options);
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
    table.add(method, result, seconds);
    return { kind: "method", method, seed, result, seconds };
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

/** Cells with a type; all methods see the same ones. */
async function typedCells(
  adata: AnnData,
  { train: { batchKey }, labelKey, labelMap }: EvaluateIntegrationOptions,
): Promise<{ cells: AnnData; labels: string[]; batches: string[]; leftOut: number }> {
  const all = await labelsOf(adata, labelKey, labelMap);
  const rows = all.flatMap((label, row) => label === null ? [] : [row]);
  if (rows.length === 0) {
    throw new RangeError(
      `Cannot evaluate as a cell must have a label in obs["${labelKey}"]: none has`,
    );
  }
  const cells = rows.length === adata.nObs ? adata : adata.select({ obs: rows });
  const batches = (await labelsOf(cells, batchKey)).map(String);
  return { cells, labels: rows.map((row) => all[row]!), batches, leftOut: all.length - rows.length };
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
