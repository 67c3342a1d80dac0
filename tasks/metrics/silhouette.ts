/** Silhouettes: how much nearer cells are to their own group than to others. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { checkRows, type DenseRows } from "../analysis/rows.ts";
import { turns } from "../analysis/turns.ts";
import { type Points, pointsOf, squaredDistance } from "./distances.ts";
import { checkLabels, type Groups, groupsOf, type Labels } from "./groups.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/** Settings of {@linkcode silhouetteSamples}. */
export interface SilhouetteOptions {
  /** `euclidean` (default), or `cosine`: 1 - cos. */
  readonly metric?: "euclidean" | "cosine";
  /**
   * What a cell's distance to its own group is compared with: the mean distance to the `nearest` other group (default), to the `furthest`, or
   * to all cells of other groups (`mean_other`).
   */
  readonly between?: "nearest" | "mean_other" | "furthest";
  /** Stops the computation. */
  readonly signal?: AbortSignal;
}

const OPTIONS = ["metric", "between", "signal"];
const ACT = "compute the silhouette";

/**
 * (b - a) / max(a, b) of each cell, where a is its mean distance to its own group and b that to others; 0 for a cell that is alone in its
 * group. All pairs in float64, tile by tile: memory grows with cells times groups.
 *
 * Reference: scikit-learn `silhouette_samples`; scib-metrics 0.5.10 `utils.silhouette_samples(between_cluster_distances=...)`, in float32.
 *
 * @example
 * ```ts
 * import { silhouetteSamples } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const rows = { nRows: 4, nCols: 1, data: new Float32Array([0, 1, 4, 5]) };
 * const samples = await silhouetteSamples(rows, ["B", "B", "T", "T"]);
 * assert.ok(Math.abs(samples[0]! - 3.5 / 4.5) < 1e-12);
 * ```
 *
 * @param rows Cell embeddings [n, d]
 * @param labels Group of each cell [n]
 * @param options Settings
 * @returns Silhouettes [n] in -1..1
 * @throws {RangeError} When sizes do not fit, a value is not finite, or a cosine is asked of a zero row
 * @throws {UndefinedMetricError} When there is one group only, or every cell is its own
 */
export async function silhouetteSamples(
  rows: DenseRows,
  labels: Labels,
  options: SilhouetteOptions = {},
): Promise<Float64Array<ArrayBuffer>> {
  refuseUnknownKeys(options, OPTIONS, ACT);
  const { metric = "euclidean", between = "nearest", signal } = options;
  checkChoices(metric, between);
  checkRows(rows, ACT);
  checkLabels(labels, rows.nRows, ACT);
  const groups = groupsOf(labels);
  const count = groups.names.length;
  if (count === 1 || count === rows.nRows) {
    throw new UndefinedMetricError(
      ACT,
      `there must be 2 groups or more, and fewer than cells: got ${count} of ${rows.nRows} cells`,
    );
  }
  const sums = await distanceSums(
    pointsOf(rows, { cosine: metric === "cosine", act: ACT }),
    groups,
    signal,
  );
  const other = { nearest, furthest, mean_other: meanOther }[between];
  const samples = new Float64Array(rows.nRows);
  groups.codes.forEach((own, cell) => {
    if (groups.sizes[own] === 1) return;
    const mine = sums.subarray(cell * count, (cell + 1) * count);
    const inside = mine[own]! / (groups.sizes[own]! - 1);
    const outside = other(mine, groups.sizes, own);
    const most = Math.max(inside, outside);
    samples[cell] = most === 0 ? 0 : (outside - inside) / most;
  });
  return samples;
}

/**
 * Average silhouette width of labels (ASW_label), scaled to 0..1: (mean + 1) / 2.
 *
 * Reference: scib 1.1.7 `metrics.silhouette`; scib-metrics 0.5.10 `silhouette_label`, which differs by float32 rounding only.
 *
 * @param rows Cell embeddings [n, d]
 * @param labels Label of each cell [n]
 * @param options Settings
 * @returns Score in 0..1, higher where labels are apart
 * @throws {RangeError | UndefinedMetricError} As {@linkcode silhouetteSamples}
 */
export async function silhouetteLabel(
  rows: DenseRows,
  labels: Labels,
  options: SilhouetteOptions = {},
): Promise<number> {
  return scaledMean(await silhouetteSamples(rows, labels, options));
}

/**
 * (mean + 1) / 2 of silhouettes.
 *
 * @param samples Silhouettes [n]
 * @returns Score in 0..1
 */
export function scaledMean(samples: Float64Array): number {
  return (samples.reduce((sum, value) => sum + value, 0) / samples.length + 1) / 2;
}

function checkChoices(metric: string, between: string): void {
  if (metric !== "euclidean" && metric !== "cosine") {
    throw new RangeError(
      `Cannot ${ACT} as metric must be "euclidean" or "cosine": got "${metric}"`,
    );
  }
  if (!["nearest", "mean_other", "furthest"].includes(between)) {
    throw new RangeError(
      `Cannot ${ACT} as between must be "nearest", "mean_other" or "furthest": got "${between}"`,
    );
  }
}

/** Rows of a tile: two tiles stay in the cache. */
const TILE = 128;

/** Sum of distances from each cell to the cells of each group [n, groups]. */
async function distanceSums(
  points: Points,
  groups: Groups,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const sums = new Float64Array(points.n * groups.names.length);
  const turn = turns(signal);
  for (let first = 0; first < points.n; first += TILE) {
    for (let second = first; second < points.n; second += TILE) {
      addTile(points, groups, sums, [first, second]);
      await turn();
    }
  }
  return sums;
}

/** Adds the distances between two tiles, each pair once to either cell. */
function addTile(
  points: Points,
  { codes, names: { length: count } }: Groups,
  sums: Float64Array,
  [first, second]: readonly [number, number],
): void {
  const { n, cosine } = points;
  const endA = Math.min(first + TILE, n), endB = Math.min(second + TILE, n);
  for (let a = first; a < endA; a++) {
    const groupA = codes[a]!;
    for (let b = Math.max(second, a + 1); b < endB; b++) {
      const square = squaredDistance(points, a, b);
      const distance = cosine ? square / 2 : Math.sqrt(square);
      sums[a * count + codes[b]!]! += distance;
      sums[b * count + groupA]! += distance;
    }
  }
}

function nearest(sums: Float64Array, sizes: Uint32Array, own: number): number {
  let least = Infinity;
  sums.forEach((sum, group) => {
    if (group !== own) least = Math.min(least, sum / sizes[group]!);
  });
  return least;
}

function furthest(sums: Float64Array, sizes: Uint32Array, own: number): number {
  let most = -Infinity;
  sums.forEach((sum, group) => {
    if (group !== own) most = Math.max(most, sum / sizes[group]!);
  });
  return most;
}

function meanOther(sums: Float64Array, sizes: Uint32Array, own: number): number {
  let total = 0, cells = 0;
  sums.forEach((sum, group) => {
    if (group === own) return;
    total += sum;
    cells += sizes[group]!;
  });
  return total / cells;
}
