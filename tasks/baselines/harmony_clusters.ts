/** Soft clusters that all batches fill: the clustering half of Harmony. */
import type { Float64Space, RandomStream } from "../../gpu/mod.ts";
import { expOfMinus } from "./exponential.ts";
import type { Batches } from "./harmony_batches.ts";

/** The large matrices of a clustering: rows are padded with zeros to a stride. */
export type ClusterSpace = Float64Space<
  | "cells" // as they were given [n, d]
  | "corrected" // [n, d]
  | "unit" // corrected, on the sphere [n, d]
  | "assignment" // R [n, K]
  | "axes" // centroids on the sphere [d, K]
  | "sums" // Σ R z [K, d]
  | "effects" // [K, d]
>;

/** Soft clusters of n cells of G groups. */
export interface Clustering {
  /** Cells. */
  readonly n: number;
  /** K. */
  readonly nClusters: number;
  /** Batches of the cells, with θ of each. */
  readonly batches: Batches;
  /** Cells and their clusters. */
  readonly space: ClusterSpace;
  /** Cells by group and cluster [G, K]; sums over the groups of a batch are O, and E is a cluster's sum times the batch's share. */
  readonly observed: Float64Array;
  /** σ: width of the clusters. */
  readonly sigma: number;
  /** Awaited every so often: lets events through, and stops. */
  readonly turn: () => Promise<void>;
}

/** Cells that are summed before events have their turn. */
const BLOCK = 512;

/** Rows in pieces of which each takes milliseconds. */
export function* pieces(rows: Uint32Array): Generator<Uint32Array> {
  for (let at = 0; at < rows.length; at += BLOCK) yield rows.subarray(at, at + BLOCK);
}

/**
 * Gives all cells their first clusters, and sums them by cluster.
 *
 * @param state Clusters without cells
 * @param centroids Centroids on the sphere [K, d], padded
 * @returns Σ R log R
 */
export async function assignAll(state: Clustering, centroids: Float64Array): Promise<number> {
  const { n, observed, space: { matrices: { sums } }, turn } = state;
  placeAxes(state, centroids);
  sums.data.fill(0);
  const factors = new Float64Array(observed.length).fill(1);
  let entropy = 0;
  for (const cells of pieces(allRows(n))) {
    entropy += assign(state, cells, factors);
    await turn();
  }
  return entropy;
}

/** R of some cells from their distances 2 (1 - cos), times their group's factor in each cluster [G, K]; adds it to O and ΣRz, and gives Σ R log R. */
function assign(state: Clustering, cells: Uint32Array, factors: Float64Array): number {
  const { space } = state, { unit, assignment, axes, sums } = space.matrices;
  space.multiplyRows(assignment, { left: unit, right: axes }, cells);
  const logs = factors.map((factor) => Math.log(factor));
  let entropy = 0;
  for (const i of cells) entropy += shareOut(state, i, { factors, logs });
  space.addOuterProducts(sums, { left: assignment, right: unit }, cells);
  return entropy;
}

/** Turns a cell's cosines into its shares. log R is the exponent and the factor's logarithm less that of the sum: no share needs one. */
function shareOut(
  { nClusters, batches: { group }, space, observed, sigma }: Clustering,
  i: number,
  { factors, logs }: { readonly factors: Float64Array; readonly logs: Float64Array },
): number {
  const { data, stride } = space.matrices.assignment;
  const start = i * stride, own = group[i]! * nClusters, steepness = 2 / sigma;
  let largest = -Infinity, total = 0, weighted = 0;
  for (let k = 0; k < nClusters; k++) {
    const cosine = data[start + k]!;
    if (cosine > largest) largest = cosine;
  }
  for (let k = 0; k < nClusters; k++) {
    const x = (largest - data[start + k]!) * steepness;
    const share = expOfMinus(x) * factors[own + k]!;
    weighted += share * (logs[own + k]! - x);
    total += share;
    data[start + k] = share;
  }
  const inverse = 1 / total;
  for (let k = 0; k < nClusters; k++) {
    const share = data[start + k]! * inverse;
    data[start + k] = share;
    observed[own + k]! += share;
  }
  return weighted * inverse - Math.log(total);
}

/**
 * Gives all cells new clusters, a block after the other, each knowing the clusters' batches without itself, and sums them by cluster.
 *
 * @param state Clusters
 * @param centroids Centroids on the sphere [K, d], padded
 * @param options Draws of the cells' order, and the share of a block
 * @returns Σ R log R
 */
export async function updateAssignment(
  state: Clustering,
  centroids: Float64Array,
  { random, blockSize }: { random: RandomStream; blockSize: number },
): Promise<number> {
  const { n, nClusters, batches: { group }, space, observed, turn } = state;
  const { data, stride } = space.matrices.assignment;
  placeAxes(state, centroids);
  space.matrices.sums.data.fill(0);
  const order = shuffled(n, random), nBlocks = Math.min(n, Math.ceil(1 / blockSize));
  let entropy = 0;
  for (let block = 0, start = 0; block < nBlocks; block++) {
    const end = start + Math.floor(n / nBlocks) + (block < n % nBlocks ? 1 : 0);
    const cells = order.subarray(start, end).sort(); // in the order of memory
    for (const i of cells) {
      const at = i * stride, own = group[i]! * nClusters;
      for (let k = 0; k < nClusters; k++) observed[own + k]! -= data[at + k]!;
    }
    const factors = diversityFactors(state);
    for (const some of pieces(cells)) {
      entropy += assign(state, some, factors);
      await turn();
    }
    start = end;
  }
  return entropy;
}

/** Σ ((E+1) / (O+1))^θ over a group's batches [G, K]: above their number where they have fewer cells in a cluster than their shares. */
function diversityFactors(state: Clustering): Float64Array {
  const { nClusters, batches: { shares, theta, levels, nVariables }, observed } = state;
  const byBatch = batchCounts(state), sizes = clusterSizes(observed, nClusters);
  for (let b = 0; b < shares.length; b++) {
    for (let k = 0; k < nClusters; k++) {
      const at = b * nClusters + k;
      byBatch[at] = ((sizes[k]! * shares[b]! + 1) / (byBatch[at]! + 1)) ** theta[b]!;
    }
  }
  const factors = new Float64Array(observed.length);
  levels.forEach((b, place) => {
    const own = Math.floor(place / nVariables) * nClusters;
    for (let k = 0; k < nClusters; k++) factors[own + k]! += byBatch[b * nClusters + k]!;
  });
  return factors;
}

/** O: cells by batch and cluster [B, K]. */
function batchCounts({ nClusters, batches, observed }: Clustering): Float64Array {
  const { shares, levels, nVariables } = batches;
  const counts = new Float64Array(shares.length * nClusters);
  levels.forEach((b, place) => {
    const own = Math.floor(place / nVariables) * nClusters;
    for (let k = 0; k < nClusters; k++) counts[b * nClusters + k]! += observed[own + k]!;
  });
  return counts;
}

/** Cells by cluster [K]. */
function clusterSizes(observed: Float64Array, nClusters: number): Float64Array {
  const sizes = new Float64Array(nClusters);
  observed.forEach((count, at) => sizes[at % nClusters]! += count);
  return sizes;
}

/** Sums the cells by cluster: Σ R z [K, d]. */
export async function sumClusters({ n, space, turn }: Clustering): Promise<void> {
  const { unit, assignment, sums } = space.matrices;
  sums.data.fill(0);
  for (const rows of pieces(allRows(n))) {
    space.addOuterProducts(sums, { left: assignment, right: unit }, rows);
    await turn();
  }
}

/**
 * What the clustering minimises: Σ R (distance + σ log R) + σ Σ θ O log((O+1)/(E+1)), of which Σ R distance = 2 (n - Σ Y · ΣRz).
 *
 * @param state Clusters
 * @param centroids Y: centroids on the sphere [K, d], padded
 * @param entropy Σ R log R
 * @returns Objective
 */
export function objectiveOf(state: Clustering, centroids: Float64Array, entropy: number): number {
  const { n, nClusters, batches: { shares, theta }, observed, sigma } = state;
  const { data } = state.space.matrices.sums;
  let distances = 2 * n, diversity = 0;
  for (let at = 0; at < data.length; at++) distances -= 2 * centroids[at]! * data[at]!;
  const counts = batchCounts(state), sizes = clusterSizes(observed, nClusters);
  counts.forEach((seen, at) => {
    const b = Math.floor(at / nClusters), expected = sizes[at % nClusters]! * shares[b]!;
    diversity += theta[b]! * seen * Math.log((seen + 1) / (expected + 1));
  });
  return distances + sigma * (entropy + diversity);
}

/**
 * Brings rows to unit length; a row of zeros stays.
 *
 * @param rows Rows [m, d]
 * @param d Length of a row
 * @returns Points on the sphere [m, d]
 */
export function normalized(rows: Float64Array, d: number): Float64Array {
  const unit = rows.slice();
  for (let start = 0; start < rows.length; start += d) {
    let square = 0;
    for (let j = start; j < start + d; j++) square += rows[j]! ** 2;
    const length = Math.sqrt(square) || 1;
    for (let j = start; j < start + d; j++) unit[j]! /= length;
  }
  return unit;
}

/** 0 .. n-1. */
function allRows(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => i);
}

/** Centroids as the right factor of cells: [K, d] -> [d, K]. */
function placeAxes({ space }: Clustering, centroids: Float64Array): void {
  const { axes, sums } = space.matrices;
  for (let k = 0; k < sums.rows; k++) {
    for (let j = 0; j < axes.rows; j++) {
      axes.data[j * axes.stride + k] = centroids[k * sums.stride + j]!;
    }
  }
}

/** 0 .. n-1 in a random order (Fisher-Yates). */
function shuffled(n: number, random: RandomStream): Uint32Array {
  const order = allRows(n);
  for (let last = n - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
