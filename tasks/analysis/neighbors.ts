/** The neighbourhood graph of cells: what clustering, UMAP and the graph metrics stand on. */
import type { Device } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { nearestNeighbors, type Neighbors } from "./knn.ts";

/** Settings of {@linkcode neighbors}; scanpy's defaults. */
export interface NeighborsOptions {
  /** Dimensions of the rows. */
  readonly nDims: number;
  /** Neighbours of a cell, itself included; 15 by default. */
  readonly nNeighbors?: number;
  /** `euclidean` (default), or `cosine`: 1 - cos. */
  readonly metric?: "euclidean" | "cosine";
  /** Stops the search. */
  readonly signal?: AbortSignal;
}

/** A symmetric weighted graph of n cells in compressed rows, without loops. */
export interface WeightedGraph {
  /** n. */
  readonly n: number;
  /** First edge of each cell, and the end [n+1]. */
  readonly indptr: Uint32Array<ArrayBuffer>;
  /** The other cell of each edge, ascending within a row; an edge stands in both its rows. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Weight of each edge, in 0..1; the same in both rows. */
  readonly connectivities: Float32Array<ArrayBuffer>;
}

/** The fuzzy union of all cells' neighbourhoods, and the neighbours that it was made of. */
export interface NeighborGraph extends WeightedGraph {
  /** Nearest cells of each cell [n, nNeighbors]: itself first, at distance 0. */
  readonly knn: Neighbors;
}

/**
 * Exact nearest neighbours and UMAP's connectivities.
 *
 * Reference: scanpy `pp.neighbors(method="umap", transformer="sklearn")`. scanpy's default takes approximate neighbours from 4,096 cells on;
 * these are exact for any number.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { neighbors } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const rows = new Float32Array([0, 1, 3, 10, 11, 13]);
 * const { n, indptr, indices } = await neighbors(device, rows, { nDims: 1, nNeighbors: 3 });
 * assert.equal(n, 6);
 * assert.deepEqual([...indices.slice(indptr[0], indptr[1])], [1, 2]);
 * ```
 *
 * @param device Device that finds the neighbours
 * @param rows Cell embeddings or principal components [n, nDims]
 * @param options Settings
 * @returns The graph
 * @throws {RangeError} When nNeighbors is not in 2..n, or the rows are odd
 */
export async function neighbors(
  device: Device,
  rows: Float32Array,
  options: NeighborsOptions,
): Promise<NeighborGraph> {
  refuseUnknownKeys(options, ["nDims", "nNeighbors", "metric", "signal"], "find neighbours");
  const { nNeighbors = 15, nDims, metric = "euclidean", signal } = options;
  const n = rows.length / nDims;
  if (!Number.isInteger(nNeighbors) || nNeighbors < 2 || nNeighbors > n) {
    throw new RangeError(
      `Cannot make a neighbour graph as nNeighbors must be in 2..${n} cells: got ${nNeighbors}`,
    );
  }
  const found = await nearestNeighbors(device, rows, rows, {
    nDims,
    k: nNeighbors,
    metric,
    ...(signal && { signal }),
  });
  return fuzzyGraph(selfFirst(found));
}

/** Moves each cell to the front of its own neighbours, where equal cells may have come before it. */
function selfFirst({ k, indices, distances }: Neighbors): Neighbors {
  const moved = { k, indices: indices.slice(), distances: distances.slice() };
  for (let start = 0, cell = 0; start < indices.length; start += k, cell++) {
    const found = indices.subarray(start, start + k).indexOf(cell);
    const place = found < 0 ? k - 1 : found; // more than k equal cells: the last leaves
    moved.indices.copyWithin(start + 1, start, start + place);
    moved.indices[start] = cell;
    moved.distances.copyWithin(start + 1, start, start + place);
    moved.distances[start] = 0;
  }
  return moved;
}

/**
 * UMAP's connectivities of given neighbours: every cell's neighbours at weights exp(-(d - rho) / sigma), and the probabilistic union
 * a + b - ab of the two directions of an edge.
 *
 * Reference: umap-learn `fuzzy_simplicial_set(set_op_mix_ratio=1, local_connectivity=1)`.
 *
 * @param knn Neighbours of n cells among themselves, each cell first in its own
 * @returns The graph
 */
export function fuzzyGraph(knn: Neighbors): NeighborGraph {
  const { k, indices } = knn;
  const n = indices.length / k;
  const strengths = membershipStrengths(knn);
  const out = sortedEdges(knn, strengths);
  const into = transpose(n, out);
  const indptr = new Uint32Array(n + 1);
  const joined = new Uint32Array(2 * indices.length), weights = new Float32Array(joined.length);
  let at = 0;
  for (let cell = 0; cell < n; cell++) {
    let a = out.indptr[cell]!, b = into.indptr[cell]!;
    const endA = out.indptr[cell + 1]!, endB = into.indptr[cell + 1]!;
    while (a < endA || b < endB) {
      const ca = a < endA ? out.indices[a]! : Infinity, cb = b < endB ? into.indices[b]! : Infinity;
      const wa = ca <= cb ? out.weights[a++]! : 0, wb = cb <= ca ? into.weights[b++]! : 0;
      joined[at] = Math.min(ca, cb);
      weights[at++] = wa + wb - wa * wb;
    }
    indptr[cell + 1] = at;
  }
  return { n, indptr, indices: joined.slice(0, at), connectivities: weights.slice(0, at), knn };
}

/** Directed edges in compressed rows. */
interface Edges {
  readonly indptr: Uint32Array;
  readonly indices: Uint32Array;
  readonly weights: Float32Array;
}

/** Edges to other cells with a weight above 0, ascending within each row. */
function sortedEdges({ k, indices }: Neighbors, strengths: Float32Array): Edges {
  const n = indices.length / k;
  const indptr = new Uint32Array(n + 1);
  const kept = new Uint32Array(indices.length), weights = new Float32Array(indices.length);
  let at = 0;
  for (let cell = 0; cell < n; cell++) {
    const places = Array.from({ length: k }, (_, rank) => cell * k + rank)
      .filter((place) => indices[place] !== cell && strengths[place]! > 0)
      .sort((a, b) => indices[a]! - indices[b]!);
    for (const place of places) {
      kept[at] = indices[place]!;
      weights[at++] = strengths[place]!;
    }
    indptr[cell + 1] = at;
  }
  return { indptr, indices: kept.subarray(0, at), weights: weights.subarray(0, at) };
}

/** The same edges by the cell that they point to. */
function transpose(n: number, { indptr, indices, weights }: Edges): Edges {
  const next = new Uint32Array(n + 1);
  for (const to of indices) next[to + 1]! += 1;
  for (let cell = 0; cell < n; cell++) next[cell + 1]! += next[cell]!;
  const turned = {
    indptr: next.slice(),
    indices: new Uint32Array(indices.length),
    weights: new Float32Array(indices.length),
  };
  for (let from = 0; from < n; from++) {
    for (let at = indptr[from]!; at < indptr[from + 1]!; at++) {
      const place = next[indices[at]!]!++;
      turned.indices[place] = from;
      turned.weights[place] = weights[at]!;
    }
  }
  return turned;
}

/** Steps of the search for sigma, and how near to its target it must come. */
const SEARCH_STEPS = 64, SEARCH_TOLERANCE = 1e-5;
/** Least sigma as a share of the mean distance. */
const LEAST_SIGMA = 1e-3;

/**
 * exp(-(d - rho) / sigma) with rho the distance of the nearest cell that is not equal, and sigma such that the weights sum to log2(k).
 *
 * Reference: umap-learn `smooth_knn_dist`, `compute_membership_strengths`.
 */
function membershipStrengths({ k, indices, distances }: Neighbors): Float32Array {
  const n = indices.length / k;
  const strengths = new Float32Array(indices.length);
  const meanOfAll = mean(distances);
  for (let start = 0; start < n * k; start += k) {
    const own = distances.subarray(start, start + k);
    const rho = own.find((distance) => distance > 0) ?? 0;
    const least = LEAST_SIGMA * (rho > 0 ? mean(own) : meanOfAll);
    const sigma = Math.fround(Math.max(solveSigma(own, rho), least));
    for (let rank = 0; rank < k; rank++) {
      const beyond = own[rank]! - rho;
      strengths[start + rank] = beyond <= 0 || sigma === 0 ? 1 : Math.exp(-beyond / sigma);
    }
  }
  return strengths;
}

/** Bisection for the sigma at which the weights of all neighbours but the first sum to log2(k). */
function solveSigma(own: Float32Array, rho: number): number {
  const target = Math.log2(own.length);
  let low = 0, high = Infinity, sigma = 1;
  for (let step = 0; step < SEARCH_STEPS; step++) {
    let sum = 0;
    for (let rank = 1; rank < own.length; rank++) {
      sum += Math.exp(-Math.max(own[rank]! - rho, 0) / sigma);
    }
    if (Math.abs(sum - target) < SEARCH_TOLERANCE) break;
    if (sum > target) high = sigma;
    else low = sigma;
    sigma = high === Infinity ? sigma * 2 : (low + high) / 2;
  }
  return sigma;
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
