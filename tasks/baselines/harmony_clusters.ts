/** Soft clusters that all batches fill: the clustering half of Harmony. */
import type { RandomStream } from "../../gpu/mod.ts";

/** Share of a cell in a cluster below which the cell does not move it: most shares are. */
export const NEGLIGIBLE = 1e-12;

/** Soft clusters of n cells of B batches. */
export interface Clustering {
  /** Cells. */
  readonly n: number;
  /** Dimensions. */
  readonly d: number;
  /** K. */
  readonly nClusters: number;
  /** Batch of each cell [n]. */
  readonly batch: Uint32Array;
  /** Share of the cells by batch [B]. */
  readonly shares: Float64Array;
  /** Corrected cells on the sphere [n, d]. */
  readonly unit: Float64Array;
  /** R [n, K]. */
  readonly assignment: Float64Array;
  /** O: cells by cluster and batch [K, B]; what is expected, E, is a cluster's sum times the batch's share. */
  readonly observed: Float64Array;
  /** θ: weight of the diversity of clusters. */
  readonly theta: number;
  /** σ: width of the clusters. */
  readonly sigma: number;
  /** Awaited every so often: lets events through, and stops. */
  readonly turn: () => Promise<void>;
}

/**
 * Gives all cells their first clusters.
 *
 * @param state Clusters without cells
 * @param centroids Centroids on the sphere [K, d]
 */
export function assignAll(state: Clustering, centroids: Float64Array): void {
  const axes = transposed(centroids, state.d);
  for (let i = 0; i < state.n; i++) assign(state, i, axes);
}

/** R of one cell from its distances 2 (1 - cos), times the batch's factor in each cluster; adds it to O. */
function assign(
  { d, nClusters, batch, unit, assignment, observed, shares, sigma }: Clustering,
  i: number,
  axes: Float64Array, // centroids [d, K]
  factors?: Float64Array, // [K, B]
): void {
  const own = assignment.subarray(i * nClusters, (i + 1) * nClusters);
  own.fill(0);
  for (let j = 0; j < d; j++) {
    const value = unit[i * d + j]!; // one coordinate meets all clusters: no sum waits for another
    for (let k = 0; k < nClusters; k++) own[k]! += value * axes[j * nClusters + k]!;
  }
  let largest = -Infinity, total = 0;
  for (let k = 0; k < nClusters; k++) largest = Math.max(largest, own[k]!);
  for (let k = 0; k < nClusters; k++) {
    own[k] = Math.exp(2 * (own[k]! - largest) / sigma);
    if (factors !== undefined) own[k]! *= factors[k * shares.length + batch[i]!]!;
    total += own[k]!;
  }
  for (let k = 0; k < nClusters; k++) {
    own[k]! /= total;
    observed[k * shares.length + batch[i]!]! += own[k]!;
  }
}

/**
 * Gives all cells new clusters, a block after the other, each knowing the clusters' batches without itself.
 *
 * @param state Clusters
 * @param centroids Centroids on the sphere [K, d]
 * @param options Draws of the cells' order, and the share of a block
 */
export async function updateAssignment(
  state: Clustering,
  centroids: Float64Array,
  { random, blockSize }: { random: RandomStream; blockSize: number },
): Promise<void> {
  const { n, nClusters, batch, shares, assignment, observed, turn } = state;
  const order = shuffled(n, random), axes = transposed(centroids, state.d);
  const nBlocks = Math.min(n, Math.ceil(1 / blockSize));
  for (let block = 0, start = 0; block < nBlocks; block++) {
    const end = start + Math.floor(n / nBlocks) + (block < n % nBlocks ? 1 : 0);
    const cells = order.subarray(start, end);
    for (const i of cells) {
      for (let k = 0; k < nClusters; k++) {
        observed[k * shares.length + batch[i]!]! -= assignment[i * nClusters + k]!;
      }
    }
    const factors = diversityFactors(state);
    for (const i of cells) assign(state, i, axes, factors);
    start = end;
    await turn();
  }
}

/** ((E+1) / (O+1))^θ [K, B]: above 1 where a batch has fewer cells in a cluster than its share. */
function diversityFactors({ nClusters, shares, observed, theta }: Clustering): Float64Array {
  const factors = new Float64Array(observed.length);
  for (let k = 0; k < nClusters; k++) {
    const size = clusterSize(observed, shares.length, k);
    for (let b = 0; b < shares.length; b++) {
      const at = k * shares.length + b;
      factors[at] = ((size * shares[b]! + 1) / (observed[at]! + 1)) ** theta;
    }
  }
  return factors;
}

/**
 * Sums the cells by cluster.
 *
 * @param state Clusters
 * @returns Σ R z [K, d]
 */
export async function clusterSums(
  { n, d, nClusters, unit, assignment, turn }: Clustering,
): Promise<Float64Array> {
  await turn();
  const sums = new Float64Array(nClusters * d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < nClusters; k++) {
      const share = assignment[i * nClusters + k]!;
      if (share < NEGLIGIBLE) continue;
      for (let j = 0; j < d; j++) sums[k * d + j]! += share * unit[i * d + j]!;
    }
  }
  return sums;
}

/**
 * What the clustering minimises: Σ R (distance + σ log R) + σ θ Σ O log((O+1)/(E+1)), of which Σ R distance = 2 (n - Σ Y · ΣRz).
 *
 * @param state Clusters
 * @param centroids Y: centroids on the sphere [K, d]
 * @param sums ΣRz [K, d]
 * @returns Objective
 */
export function objectiveOf(
  { n, nClusters, shares, assignment, observed, theta, sigma }: Clustering,
  centroids: Float64Array,
  sums: Float64Array,
): number {
  let distances = 2 * n, entropy = 0, diversity = 0;
  for (let at = 0; at < sums.length; at++) distances -= 2 * centroids[at]! * sums[at]!;
  for (const share of assignment) if (share > 0) entropy += share * Math.log(share);
  for (let k = 0; k < nClusters; k++) {
    const size = clusterSize(observed, shares.length, k);
    for (let b = 0; b < shares.length; b++) {
      const seen = observed[k * shares.length + b]!;
      diversity += seen * Math.log((seen + 1) / (size * shares[b]! + 1));
    }
  }
  return distances + sigma * (entropy + theta * diversity);
}

function clusterSize(observed: Float64Array, nBatches: number, k: number): number {
  let size = 0;
  for (let b = 0; b < nBatches; b++) size += observed[k * nBatches + b]!;
  return size;
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

/** [K, d] -> [d, K]. */
function transposed(rows: Float64Array, d: number): Float64Array {
  const nRows = rows.length / d;
  return Float64Array.from(rows, (_, at) => rows[(at % nRows) * d + Math.floor(at / nRows)]!);
}

/** 0 .. n-1 in a random order (Fisher-Yates). */
function shuffled(n: number, random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
