/** Harmony: batches are mixed by moving soft clusters of cells together. */
import { type Float64Matrix, Float64Space, RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { turns } from "../analysis/turns.ts";
import { kMeans } from "../metrics/kmeans.ts";
import { solvePositive } from "../analysis/cholesky.ts";
import { type Batches, batchesOf, refuse } from "./harmony_batches.ts";
import {
  assignAll,
  type Clustering,
  normalized,
  objectiveOf,
  pieces,
  sumClusters,
  updateAssignment,
} from "./harmony_clusters.ts";

/** Settings of {@linkcode harmony}. */
export interface HarmonyOptions {
  /** Dimensions d of the embedding. */
  readonly nDims: number;
  /** θ: how much a cluster is to hold all batches, also one of each variable; 2 by default, 0 corrects nothing but what clusters share. */
  readonly theta?: number | readonly number[];
  /** λ of the ridge regression that moves the cells, also one of each variable; 1 by default, larger moves less. */
  readonly lambda?: number | readonly number[];
  /** σ: width of the soft clusters; 0.1 by default. */
  readonly sigma?: number;
  /** K; a thirtieth of the cells, at most 100, by default. */
  readonly nClusters?: number;
  /** Share of the cells whose clusters are updated together; 0.05 by default. */
  readonly blockSize?: number;
  /** Rounds of clustering and correction; 10 by default. */
  readonly maxIterations?: number;
  /** Seed of the first clusters and of the order of updates; 0 by default. */
  readonly seed?: number;
  /** First centroids [K, d] instead of those of k-means. */
  readonly centroids?: Float32Array | Float64Array;
  /** Stops the correction. */
  readonly signal?: AbortSignal | undefined;
}

/** Corrected cells. */
export interface Harmony {
  /** Embedding [n, d]. */
  readonly corrected: Float32Array<ArrayBuffer>;
  /** Objective at the start and after the clustering of each iteration. */
  readonly objectives: readonly number[];
  /** Whether the last iteration lowered the objective by less than its 10,000th part. */
  readonly converged: boolean;
}

const OPTIONS = [
  "nDims",
  "theta",
  "lambda",
  "sigma",
  "nClusters",
  "blockSize",
  "maxIterations",
  "seed",
  "centroids",
  "signal",
];
/** Updates of all cells in one clustering at most. */
const MAX_ROUNDS = 20;
/** Rounds whose objectives are averaged before they are compared. */
const WINDOW = 3;
/** Relative change that ends a clustering. */
const ROUND_TOLERANCE = 1e-5;
/** Relative gain that ends the correction. */
const TOLERANCE = 1e-4;

/**
 * Takes the batch out of an embedding. Soft k-means on the sphere with a penalty on clusters that batches fill unevenly, and a ridge regression
 * of the cells on their batch within each cluster, take turns. Memory grows with n·K.
 *
 * Reference: Korsunsky et al. 2019, "Fast, sensitive and accurate integration of single-cell data with Harmony", algorithms 1-3; numbers of
 * harmonypy 0.0.10 for one or more variables (with its θ = 1; 2 is the R package's default). Versions 2 of both estimate λ instead.
 *
 * @example
 * ```ts
 * import { harmony } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * // two cell types, measured twice: the second batch lies 0.4 higher
 * const batches = Array.from({ length: 60 }, (_, cell) => cell % 2 === 0 ? "a" : "b");
 * const cells = batches.map((batch, cell) => [cell < 30 ? 1 : -1, 0.5 + (batch === "b" ? 0.4 : 0)]);
 * const { corrected } = await harmony(new Float32Array(cells.flat()), batches, { nDims: 2 });
 * assert.ok(Math.abs(corrected[1]! - corrected[3]!) < 0.1); // y of a cell of each batch
 * assert.ok(corrected[0]! - corrected[118]! > 1.5); // x of the two types
 * ```
 *
 * @param embedding Principal components of the cells [n, d]
 * @param batches Batch of each cell [n], or those of several variables [V][n], such as donor and technology
 * @param options `nDims` and settings
 * @returns Corrected embedding
 * @throws {RangeError} When sizes do not fit, a variable has one batch only, or a setting is out of range
 */
export async function harmony(
  embedding: Float32Array,
  batches: readonly string[] | readonly (readonly string[])[],
  options: HarmonyOptions,
): Promise<Harmony> {
  refuseUnknownKeys(options, OPTIONS, "run Harmony");
  const { blockSize = 0.05, maxIterations = 10, seed = 0 } = options;
  const state = clusteringOf(embedding, batches, options);
  const { sums, unit, corrected } = state.space.matrices;
  let centroids = normalized(await firstCentroids(state, options), sums.stride);
  const rounds = [objectiveOf(state, centroids, await assignAll(state, centroids))];
  const objectives = [...rounds];
  let converged = false;
  for (let iteration = 0; iteration < maxIterations && !converged; iteration++) {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      centroids = normalized(sums.data, sums.stride);
      const random = new RandomStream(seed, STREAM.solver, [5, rounds.length]);
      const entropy = await updateAssignment(state, centroids, { random, blockSize });
      rounds.push(objectiveOf(state, centroids, entropy));
      if (round > WINDOW && hasSettled(rounds)) break;
    }
    await correct(state);
    unit.data.set(normalized(corrected.data, unit.stride));
    await sumClusters(state);
    const before = objectives.at(-1)!, now = rounds.at(-1)!;
    objectives.push(now);
    converged = (before - now) / Math.abs(before) < TOLERANCE;
  }
  return { corrected: unpadded(corrected, options.nDims), objectives, converged };
}

/** Rows without their padding, as float32. */
function unpadded({ data, rows, stride }: Float64Matrix, d: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * d);
  for (let i = 0; i < rows; i++) values.set(data.subarray(i * stride, i * stride + d), i * d);
  return values;
}

/** Rows with their padding. */
function pad({ data, stride }: Float64Matrix, values: ArrayLike<number>, d: number): void {
  for (let at = 0; at < values.length; at++) {
    data[Math.floor(at / d) * stride + at % d] = values[at]!;
  }
}

function clusteringOf(
  embedding: Float32Array,
  batches: readonly string[] | readonly (readonly string[])[],
  options: HarmonyOptions,
): Clustering {
  const { nDims: d, theta = 2, lambda = 1, sigma = 0.1 } = options;
  const variables = isOne(batches) ? [batches] : batches;
  const n = variables[0]?.length ?? 0;
  const { nClusters = Math.max(1, Math.min(Math.round(n / 30), 100)) } = options;
  checkSettings({ ...options, nClusters }, n);
  if (embedding.length !== n * d) {
    refuse(`${n} cells of ${d} dimensions need ${n * d} values`, embedding.length);
  }
  const strange = embedding.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) refuse(`value ${strange} of the embedding must be finite`, embedding[strange]!);
  const sorted = batchesOf(variables, { theta, lambda });
  const ofCells = [n, d] as const, ofClusters = [nClusters, d] as const;
  const space = new Float64Space({
    ...{ cells: ofCells, corrected: ofCells, unit: ofCells, assignment: [n, nClusters] },
    ...{ axes: [d, nClusters], sums: ofClusters, effects: ofClusters },
  });
  const { cells, corrected, unit } = space.matrices;
  pad(cells, embedding, d);
  corrected.data.set(cells.data);
  unit.data.set(normalized(cells.data, cells.stride));
  return {
    n,
    nClusters,
    batches: sorted,
    space,
    observed: new Float64Array(nClusters * sorted.levels.length / sorted.nVariables),
    sigma,
    turn: turns(options.signal),
  };
}

/** Whether there is one variable. */
function isOne(
  batches: readonly string[] | readonly (readonly string[])[],
): batches is readonly string[] {
  return typeof batches[0] === "string";
}

function checkSettings(
  { theta = 2, lambda = 1, sigma = 0.1, blockSize = 0.05, maxIterations = 10, nClusters }:
    & HarmonyOptions
    & { nClusters: number },
  n: number,
): void {
  for (const value of [theta].flat()) if (!(value >= 0)) refuse("theta must be >= 0", value);
  for (const value of [lambda].flat()) if (!(value > 0)) refuse("lambda must be > 0", value);
  if (!(sigma > 0)) refuse("sigma must be > 0", sigma);
  if (!(blockSize > 0 && blockSize <= 1)) refuse("blockSize must be in (0, 1]", blockSize);
  if (!(maxIterations >= 1)) refuse("maxIterations must be >= 1", maxIterations);
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > n) {
    refuse(`nClusters must be an integer in 1..${n}`, nClusters);
  }
}

/** Means of k-means clusters, or what the caller gave [K, d], padded. */
async function firstCentroids(
  { n, nClusters, space }: Clustering,
  { nDims, centroids, seed = 0, signal }: HarmonyOptions,
): Promise<Float64Array> {
  const { unit, effects } = space.matrices; // not in use yet
  if (centroids !== undefined) {
    const wanted = nClusters * nDims;
    if (centroids.length !== wanted) {
      refuse(
        `${nClusters} centroids of ${nDims} dimensions need ${wanted} values`,
        centroids.length,
      );
    }
    pad(effects, centroids, nDims);
    return effects.data.slice();
  }
  const rows = { nRows: n, nCols: unit.stride, data: unit.data };
  const settings = { nClusters, maxIterations: 25, seed, ...signal && { signal } };
  const { clusters } = await kMeans(rows, settings);
  const sums = new Float64Array(effects.data.length); // their direction is that of the means
  clusters.forEach((k, i) => {
    for (let j = 0; j < nDims; j++) sums[k * unit.stride + j]! += unit.data[i * unit.stride + j]!;
  });
  return sums;
}

/** Whether the mean objective of the last rounds is that of a round earlier. */
function hasSettled(rounds: readonly number[]): boolean {
  const last = rounds.slice(-WINDOW - 1);
  const before = last.slice(0, WINDOW).reduce((sum, value) => sum + value, 0);
  const now = last.slice(1).reduce((sum, value) => sum + value, 0);
  return Math.abs(before - now) / Math.abs(before) < ROUND_TOLERANCE;
}

/**
 * Takes off each cell what its batches add in its clusters: per cluster a ridge regression on intercept (free) and batches (λ), weighted by
 * the cells' shares. Cells of a group have one effect, so that the regression is on groups, not on cells.
 */
async function correct({ nClusters, batches, space, observed, turn }: Clustering): Promise<void> {
  const { cells, corrected, assignment, effects } = space.matrices, { stride } = effects;
  const nGroups = observed.length / nClusters, groups = rowsByGroup(batches.group, nGroups);
  const byGroup: Float64Array[] = []; // Σ R z, then w [K, d]
  for (const rows of groups) {
    effects.data.fill(0);
    for (const some of pieces(rows)) {
      space.addOuterProducts(effects, { left: assignment, right: cells }, some);
      await turn();
    }
    byGroup.push(effects.data.slice());
  }
  for (let k = 0; k < nClusters; k++) {
    const counts = Float64Array.from(byGroup, (_, group) => observed[group * nClusters + k]!);
    regress(batches, counts, byGroup.map((sums) => sums.subarray(k * stride, (k + 1) * stride)));
  }
  for (const [group, rows] of groups.entries()) {
    effects.data.set(byGroup[group]!);
    for (const some of pieces(rows)) {
      space.multiplyRows(corrected, { left: assignment, right: effects }, some);
      await turn();
    }
  }
  for (let at = 0; at < corrected.data.length; at++) {
    corrected.data[at] = cells.data[at]! - corrected.data[at]!;
  }
}

/** Rows of each group, ascending. */
function rowsByGroup(group: Uint32Array, nGroups: number): Uint32Array[] {
  const rows = Array.from({ length: nGroups }, (): number[] => []);
  group.forEach((own, i) => rows[own]!.push(i));
  return rows.map((own) => Uint32Array.from(own));
}

/**
 * Replaces the sums of a cluster's groups by the effects of their batches. The unknowns are the batches, then the intercept, which keeps its
 * part of the cells.
 *
 * @param batches Batches of the groups, with λ
 * @param counts Cells of each group in the cluster [G]
 * @param sums Their sums [G][d]
 */
function regress(
  { levels, nVariables, lambda }: Batches,
  counts: Float64Array,
  sums: readonly Float64Array[],
): void {
  const nBatches = lambda.length, m = nBatches + 1, d = sums[0]!.length;
  const matrix = new Float64Array(m * m), right = new Float64Array(m * d);
  for (let b = 0; b < nBatches; b++) matrix[b * m + b] = lambda[b]!;
  const columnsOf = (group: number) => [
    ...levels.subarray(group * nVariables, (group + 1) * nVariables),
    nBatches,
  ];
  sums.forEach((sum, group) => {
    const own = columnsOf(group);
    for (const b of own) {
      for (const other of own) matrix[b * m + other]! += counts[group]!;
      for (let j = 0; j < d; j++) right[b * d + j]! += sum[j]!;
    }
  });
  solvePositive(matrix, right, m);
  sums.forEach((sum, group) => {
    sum.fill(0);
    for (const b of columnsOf(group).slice(0, -1)) {
      for (let j = 0; j < d; j++) sum[j]! += right[b * d + j]!;
    }
  });
}
