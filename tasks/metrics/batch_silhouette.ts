/** Silhouettes of batches within labels, and of labels that few batches have. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { DenseRows } from "../analysis/rows.ts";
import { batchesPerLabel, cellsByGroup, checkLabels, groupsOf, type Labels } from "./groups.ts";
import { scaledMean, type SilhouetteOptions, silhouetteSamples } from "./silhouette.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/**
 * Average silhouette width of batches (ASW_batch): the mean over labels of the mean of 1 - |silhouette of the batch| among the label's
 * cells. Labels with one batch, or with as many batches as cells, are left out.
 *
 * Reference: scib 1.1.7 `metrics.silhouette_batch`; scib-metrics 0.5.10 `silhouette_batch`, equal but for float32 rounding.
 *
 * @param rows Cell embeddings [n, d]
 * @param labels Label of each cell [n]
 * @param batches Batch of each cell [n]
 * @param options Settings
 * @returns Score in 0..1, higher where batches are mixed
 * @throws {RangeError} As {@linkcode silhouetteSamples}
 * @throws {UndefinedMetricError} When no label has two batches or more
 */
export async function silhouetteBatch(
  rows: DenseRows,
  labels: Labels,
  batches: Labels,
  options: SilhouetteOptions = {},
): Promise<number> {
  const act = "compute the silhouette of batches";
  checkLabels(labels, rows.nRows, act);
  checkLabels(batches, rows.nRows, act);
  const means: number[] = [];
  for (const cells of cellsByGroup(groupsOf(labels))) {
    const own = Array.from(cells, (cell) => batches[cell]!);
    const count = new Set(own).size;
    if (count === 1 || count === cells.length) continue;
    const samples = await silhouetteSamples(takeRows(rows, cells), own, options);
    means.push(samples.reduce((sum, value) => sum + 1 - Math.abs(value), 0) / samples.length);
  }
  if (means.length === 0) {
    throw new UndefinedMetricError(
      act,
      "some label must have two batches, and more cells: got none",
    );
  }
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

/**
 * Batch removal adapted silhouette (BRAS): {@linkcode silhouetteBatch} with cosine distances, where a cell's distance to its own batch is
 * compared with that to all cells of other batches, so that a batch nested in another cannot pass for mixed.
 *
 * Reference: scib-metrics 0.5.10 `bras`; Rautenstrauch and Ohler 2025.
 *
 * @param rows Cell embeddings [n, d]
 * @param labels Label of each cell [n]
 * @param batches Batch of each cell [n]
 * @param options Settings; `metric` is "cosine" and `between` "mean_other" by default
 * @returns Score in 0..1, higher where batches are mixed
 * @throws {RangeError | UndefinedMetricError} As {@linkcode silhouetteBatch}
 */
export function bras(
  rows: DenseRows,
  labels: Labels,
  batches: Labels,
  options: SilhouetteOptions = {},
): Promise<number> {
  return silhouetteBatch(rows, labels, batches, {
    metric: "cosine",
    between: "mean_other",
    ...options,
  });
}

/** Settings of {@linkcode isolatedLabels}. */
export interface IsolatedLabelsOptions {
  /** Labels with more batches are not isolated; by default the least number of batches that a label has. */
  readonly maxBatches?: number;
}

/**
 * Mean scaled silhouette of the labels that the fewest batches have: rare types are the first that integration loses.
 *
 * Reference: scib-metrics 0.5.10 `isolated_labels`, scib 1.1.7 `metrics.isolated_labels_asw`. Where every label is in every batch,
 * scib-metrics takes all labels for isolated, as this does, while scib finds none and gives NaN.
 *
 * @param samples Silhouettes of the labels [n], as {@linkcode silhouetteSamples} gives them
 * @param labels Label of each cell [n]
 * @param batches Batch of each cell [n]
 * @param options Settings
 * @returns Score in 0..1, higher where isolated labels are apart
 * @throws {RangeError} When the lengths differ
 * @throws {UndefinedMetricError} When no label has so few batches
 */
export function isolatedLabels(
  samples: Float64Array,
  labels: Labels,
  batches: Labels,
  options: IsolatedLabelsOptions = {},
): number {
  const act = "score isolated labels";
  refuseUnknownKeys(options, ["maxBatches"], act);
  checkLabels(labels, samples.length, act);
  checkLabels(batches, samples.length, act);
  const groups = groupsOf(labels);
  const counts = batchesPerLabel(groups, groupsOf(batches));
  const most = options.maxBatches ?? Math.min(...counts);
  const cells = cellsByGroup(groups).filter((_, label) => counts[label]! <= most);
  if (cells.length === 0) {
    throw new UndefinedMetricError(act, `a label must be in at most ${most} batches: none is`);
  }
  const scores = cells.map((rows) => scaledMean(Float64Array.from(rows, (row) => samples[row]!)));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function takeRows({ nCols, data }: DenseRows, cells: Uint32Array): DenseRows {
  const taken = new Float64Array(cells.length * nCols);
  cells.forEach((cell, row) =>
    taken.set(data.subarray(cell * nCols, (cell + 1) * nCols), row * nCols)
  );
  return { nRows: cells.length, nCols, data: taken };
}
