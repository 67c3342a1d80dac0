/** All metrics of integration for one embedding, by stable keys. */
import type { Device } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { nearestNeighbors } from "../analysis/knn.ts";
import { checkRows } from "../analysis/rows.ts";
import { checkLabels, groupsOf } from "./groups.ts";
import {
  type IntegratedCells,
  type IntegrationMetric,
  outcomeOf,
  type Score,
  withMeans,
} from "./integration_metrics.ts";
import { batchScores, labelScores } from "./integration_scores.ts";
import { silhouetteSamples } from "./silhouette.ts";

/** Settings of {@linkcode integrationReport}. */
export interface IntegrationReportOptions {
  /** Resolutions of the Leiden clusterings; 0.2, 0.4 ... 2 by default. */
  readonly resolutions?: readonly number[];
  /** Seed of Leiden and k-means; 0 by default. */
  readonly seed?: number;
  /** Stops the report. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode integrationReport} gives; plain data. */
export interface IntegrationReport {
  /** Cells. */
  readonly nCells: number;
  /** Different labels. */
  readonly nLabels: number;
  /** Different batches; 0 when none were given. */
  readonly nBatches: number;
  /** Resolution of the clustering behind scib.nmi and scib.ari; null when there was none. */
  readonly resolution: number | null;
  /** kBET by label; null for labels that cannot be tested. */
  readonly kbetPerLabel: Readonly<Record<string, number | null>>;
  /** All metrics. */
  readonly scores: Readonly<Record<IntegrationMetric, Score>>;
}

/** Neighbours of a cell that LISI takes, the cell included; the other metrics take the first of them. */
const LISI_NEIGHBORS = 90;

/**
 * Metrics of one embedding as scib (the scGPT paper's evaluation) and scib-metrics define them, on exact neighbours. avg_bio = mean(nmi, ari,
 * asw_label), avg_batch = mean(asw_batch, graph_connectivity), overall = 0.6 avg_bio + 0.4 avg_batch; scib-metrics' total is 0.6
 * bio_conservation + 0.4 batch_correction. scib takes Leiden clusters at the best resolution, scib-metrics k-means and, for batches, BRAS.
 *
 * Reference: `scgpt.utils.eval_scib_metrics`; scib-metrics 0.5.10 `Benchmarker`, which finds neighbours approximately.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { integrationReport } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const data = Float32Array.from({ length: 80 }, (_, i) => (i % 4 < 2 ? 0 : 50) + Math.sin(i));
 * const { scores } = await integrationReport(device, {
 *   embedding: { nRows: 40, nCols: 2, data },
 *   labels: Array.from({ length: 40 }, (_, cell) => cell % 2 === 0 ? "B" : "T"),
 * });
 * assert.equal(scores["scib.nmi"].value, 1);
 * assert.deepEqual(scores["scib.asw_batch"], { value: null, note: "no batches were given" });
 * ```
 *
 * @param device Device that finds neighbours
 * @param cells Embedding, labels and batches
 * @param options Settings
 * @returns Scores by key; a metric that is undefined for the cells is null, with the reason
 * @throws {RangeError} When sizes do not fit or a value is not finite
 */
export async function integrationReport(
  device: Device,
  cells: IntegratedCells,
  options: IntegrationReportOptions = {},
): Promise<IntegrationReport> {
  refuseUnknownKeys(options, ["resolutions", "seed", "signal"], "report on integration");
  checkCells(cells);
  const { embedding: { nRows, nCols, data }, labels, batches } = cells;
  const stop = options.signal && { signal: options.signal };
  const rows = data instanceof Float32Array ? data : Float32Array.from(data);
  const k = Math.min(LISI_NEIGHBORS, nRows);
  const knn = await nearestNeighbors(device, rows, rows, {
    nDims: nCols,
    k,
    ...stop,
  });
  const evidence = {
    cells,
    knn,
    samples: await outcomeOf(() => silhouetteSamples(cells.embedding, labels, stop)),
    options,
  };
  const byLabel = await labelScores(evidence);
  const byBatch = await batchScores(evidence);
  return {
    nCells: nRows,
    nLabels: groupsOf(labels).names.length,
    nBatches: batches === undefined ? 0 : groupsOf(batches).names.length,
    resolution: byLabel.resolution,
    kbetPerLabel: byBatch.kbetPerLabel,
    scores: withMeans({ ...byLabel.scores, ...byBatch.scores }),
  };
}

function checkCells(cells: IntegratedCells): void {
  const act = "report on integration";
  refuseUnknownKeys(cells, ["embedding", "labels", "batches", "before"], act);
  const { embedding, labels, batches, before } = cells;
  checkRows(embedding, act);
  if (embedding.nRows < 3) {
    throw new RangeError(`Cannot ${act} as there must be 3 cells: got ${embedding.nRows}`);
  }
  checkLabels(labels, embedding.nRows, act);
  if (batches !== undefined) checkLabels(batches, embedding.nRows, act);
  if (before === undefined) return;
  checkRows(before, act);
  if (before.nRows !== embedding.nRows) {
    throw new RangeError(
      `Cannot ${act} as "before" must have the ${embedding.nRows} rows of the embedding: got ${before.nRows}`,
    );
  }
}
