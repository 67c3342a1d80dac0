/** Harmony: batches are mixed by moving soft clusters of cells together. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { turns } from "../analysis/turns.ts";
import { kMeans } from "../metrics/kmeans.ts";
import {
  assignAll,
  type Clustering,
  clusterSums,
  NEGLIGIBLE,
  normalized,
  objectiveOf,
  updateAssignment,
} from "./harmony_clusters.ts";

/** Settings of {@linkcode harmony}. */
export interface HarmonyOptions {
  /** Dimensions d of the embedding. */
  readonly nDims: number;
  /** θ: how much a cluster is to hold all batches; 2 by default, 0 corrects nothing but what clusters share. */
  readonly theta?: number;
  /** λ of the ridge regression that moves the cells; 1 by default, larger moves less. */
  readonly lambda?: number;
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
 * harmonypy 0.0.10 for one batch variable (with its θ = 1; 2 is the R package's default). Versions 2 of both estimate λ instead.
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
 * @param batches Batch of each cell [n]
 * @param options `nDims` and settings
 * @returns Corrected embedding
 * @throws {RangeError} When sizes do not fit, there is one batch only, or a setting is out of range
 */
export async function harmony(
  embedding: Float32Array,
  batches: readonly string[],
  options: HarmonyOptions,
): Promise<Harmony> {
  refuseUnknownKeys(options, OPTIONS, "run Harmony");
  const { lambda = 1, blockSize = 0.05, maxIterations = 10, seed = 0 } = options;
  const state = clusteringOf(embedding, batches, options);
  let centroids = normalized(await firstCentroids(state, options), state.d);
  assignAll(state, centroids);
  let sums = await clusterSums(state);
  const rounds = [objectiveOf(state, centroids, sums)];
  const objectives = [...rounds];
  let corrected = Float64Array.from(embedding), converged = false;
  for (let iteration = 0; iteration < maxIterations && !converged; iteration++) {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      centroids = normalized(sums, state.d);
      const random = new RandomStream(seed, STREAM.solver, [5, rounds.length]);
      await updateAssignment(state, centroids, { random, blockSize });
      sums = await clusterSums(state);
      rounds.push(objectiveOf(state, centroids, sums));
      if (round > WINDOW && hasSettled(rounds)) break;
    }
    corrected = await correct(state, embedding, lambda);
    state.unit.set(normalized(corrected, state.d));
    sums = await clusterSums(state);
    const before = objectives.at(-1)!, now = rounds.at(-1)!;
    objectives.push(now);
    converged = (before - now) / Math.abs(before) < TOLERANCE;
  }
  return { corrected: Float32Array.from(corrected), objectives, converged };
}

function clusteringOf(
  embedding: Float32Array,
  batches: readonly string[],
  options: HarmonyOptions,
): Clustering {
  const { nDims: d, theta = 2, sigma = 0.1 } = options;
  const n = batches.length;
  const { nClusters = Math.max(1, Math.min(Math.round(n / 30), 100)) } = options;
  checkSettings({ ...options, nClusters }, n);
  const names = [...new Set(batches)].sort();
  if (embedding.length !== n * d) {
    refuse(`${n} cells of ${d} dimensions need ${n * d} values`, embedding.length);
  }
  const strange = embedding.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) refuse(`value ${strange} of the embedding must be finite`, embedding[strange]!);
  if (names.length < 2) refuse("there must be two batches", names.length);
  const place = new Map(names.map((name, at) => [name, at]));
  const batch = Uint32Array.from(batches, (name) => place.get(name)!);
  const shares = new Float64Array(names.length);
  for (const b of batch) shares[b]! += 1 / n;
  return {
    n,
    d,
    nClusters,
    batch,
    shares,
    unit: normalized(Float64Array.from(embedding), d),
    assignment: new Float64Array(n * nClusters),
    observed: new Float64Array(nClusters * names.length),
    theta,
    sigma,
    turn: turns(options.signal),
  };
}

function checkSettings(
  { theta = 2, lambda = 1, sigma = 0.1, blockSize = 0.05, maxIterations = 10, nClusters }:
    & HarmonyOptions
    & { nClusters: number },
  n: number,
): void {
  if (!(theta >= 0)) refuse("theta must be >= 0", theta);
  if (!(lambda > 0)) refuse("lambda must be > 0", lambda);
  if (!(sigma > 0)) refuse("sigma must be > 0", sigma);
  if (!(blockSize > 0 && blockSize <= 1)) refuse("blockSize must be in (0, 1]", blockSize);
  if (!(maxIterations >= 1)) refuse("maxIterations must be >= 1", maxIterations);
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > n) {
    refuse(`nClusters must be an integer in 1..${n}`, nClusters);
  }
}

function refuse(rule: string, value: number): never {
  throw new RangeError(`Cannot run Harmony as ${rule}: got ${value}`);
}

/** Means of k-means clusters, or what the caller gave [K, d]. */
async function firstCentroids(
  { n, d, nClusters, unit }: Clustering,
  { centroids, seed = 0, signal }: HarmonyOptions,
): Promise<Float64Array> {
  if (centroids !== undefined) {
    if (centroids.length === nClusters * d) return Float64Array.from(centroids);
    refuse(
      `${nClusters} centroids of ${d} dimensions need ${nClusters * d} values`,
      centroids.length,
    );
  }
  const rows = { nRows: n, nCols: d, data: unit };
  const settings = {
    nClusters,
    maxIterations: 25,
    seed,
    ...(signal === undefined ? {} : { signal }),
  };
  const { clusters } = await kMeans(rows, settings);
  const sums = new Float64Array(nClusters * d); // their direction is that of the means
  clusters.forEach((k, i) => {
    for (let j = 0; j < d; j++) sums[k * d + j]! += unit[i * d + j]!;
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
 * Takes off each cell what its batch adds in its clusters: per cluster a ridge regression on intercept (free) and batches (λ), whose solution
 * is w = (S - N a) / (N + λ) with a = Σ S/(N+λ) / Σ N/(N+λ); N and S are the batch's cells and their sum.
 */
async function correct(
  { n, d, nClusters, batch, shares, assignment, observed, turn }: Clustering,
  embedding: Float32Array,
  lambda: number,
): Promise<Float64Array<ArrayBuffer>> {
  const nBatches = shares.length;
  const effects = new Float64Array(nClusters * nBatches * d); // S, then w [K, B, d]
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < nClusters; k++) {
      const share = assignment[i * nClusters + k]!, start = (k * nBatches + batch[i]!) * d;
      if (share < NEGLIGIBLE) continue;
      for (let j = 0; j < d; j++) effects[start + j]! += share * embedding[i * d + j]!;
    }
  }
  await turn();
  for (let k = 0; k < nClusters; k++) {
    const cells = observed.subarray(k * nBatches, (k + 1) * nBatches);
    const weight = cells.reduce((sum, count) => sum + count / (count + lambda), 0);
    for (let j = 0; j < d; j++) {
      const place = (b: number) => (k * nBatches + b) * d + j;
      let mean = 0;
      cells.forEach((count, b) => mean += effects[place(b)]! / (count + lambda) / weight);
      cells.forEach((count, b) => {
        effects[place(b)] = (effects[place(b)]! - count * mean) / (count + lambda);
      });
    }
  }
  const corrected = Float64Array.from(embedding);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < nClusters; k++) {
      const share = assignment[i * nClusters + k]!, start = (k * nBatches + batch[i]!) * d;
      if (share < NEGLIGIBLE) continue;
      for (let j = 0; j < d; j++) corrected[i * d + j]! -= share * effects[start + j]!;
    }
  }
  await turn();
  return corrected;
}
