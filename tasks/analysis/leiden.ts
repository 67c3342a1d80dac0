/** Leiden clustering of a neighbour graph. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { aggregate, compact, type Network } from "./leiden_network.ts";
import { moveNodes, refine, type Search } from "./leiden_moves.ts";
import type { WeightedGraph } from "./neighbors.ts";
import { turns } from "./turns.ts";

/** Settings of {@linkcode leiden}; scanpy's defaults. */
export interface LeidenOptions {
  /** Coarseness: larger gives more clusters; 1 by default, at which the quality is modularity. */
  readonly resolution?: number;
  /** Most passes, each of which starts from the clusters of the one before; by default until one improves nothing. */
  readonly nIterations?: number;
  /** Seed of all draws; 0 by default. */
  readonly seed?: number;
  /** Stops the search. */
  readonly signal?: AbortSignal;
}

/** Draws apart from those of other solvers with the same seed. */
const DRAWS = [2, 0] as const;
/** Gain in modularity below which a pass has improved nothing. */
const NOTHING = 1e-10;

/**
 * Clusters of a weighted graph by the Leiden algorithm, which maximises modularity at a resolution and gives connected clusters. Cluster 0
 * is the largest.
 *
 * Reference: Traag, Waltman and van Eck 2019, algorithm A.2; scanpy `tl.leiden`, whose `RBConfigurationVertexPartition` is the same
 * quality.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { leiden, neighbors } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const rows = new Float32Array([0, 1, 3, 100, 101, 103, 104]);
 * const graph = await neighbors(device, rows, { nDims: 1, nNeighbors: 3 });
 * assert.deepEqual([...await leiden(graph)], [1, 1, 1, 0, 0, 0, 0]);
 * ```
 *
 * @param graph Symmetric weighted graph of n cells
 * @param options Settings
 * @returns Cluster of each cell [n], numbered by falling size
 * @throws {RangeError} When the resolution or a weight is negative, or nIterations is not a positive integer
 */
export async function leiden(
  graph: WeightedGraph,
  options: LeidenOptions = {},
): Promise<Uint32Array<ArrayBuffer>> {
  refuseUnknownKeys(options, ["resolution", "nIterations", "seed", "signal"], "find clusters");
  const { resolution = 1, nIterations = Infinity, seed = 0, signal } = options;
  if (!(resolution >= 0 && resolution < Infinity)) {
    throw new RangeError(`Cannot find clusters as resolution must be >= 0: got ${resolution}`);
  }
  if (nIterations !== Infinity && !(Number.isInteger(nIterations) && nIterations >= 1)) {
    throw new RangeError(
      `Cannot find clusters as nIterations must be a positive integer: got ${nIterations}`,
    );
  }
  const random = new RandomStream(seed, STREAM.solver, DRAWS);
  const network = networkOf(graph);
  const perStrength = network.total > 0 ? resolution / network.total : 0;
  const search: Search = { perStrength, random, turn: turns(signal) };
  let clusters = Uint32Array.from({ length: graph.n }, (_, cell) => cell);
  let quality = modularity(graph, clusters, resolution);
  for (let pass = 0; pass < nIterations; pass++) {
    const found = await improve(network, clusters, search);
    const gain = modularity(graph, found, resolution) - quality;
    if (!(gain > NOTHING)) break;
    clusters = found;
    quality += gain;
  }
  return bySize(clusters);
}

/** One pass: moves nodes, refines the clusters, and repeats on the graph of refined clusters until nothing joins. */
async function improve(
  base: Network,
  start: Uint32Array<ArrayBuffer>,
  search: Search,
): Promise<Uint32Array<ArrayBuffer>> {
  let network = base, clusters = start;
  let node = Uint32Array.from({ length: base.n }, (_, cell) => cell); // of each cell, in the network
  for (;;) {
    const moved = compact(await moveNodes(network, clusters, search));
    const refined = compact(await refine(network, moved.of, search));
    if (refined.count === network.n || moved.count === network.n) {
      return node.map((at) => moved.of[at]!);
    }
    clusters = new Uint32Array(refined.count);
    for (let at = 0; at < network.n; at++) clusters[refined.of[at]!] = moved.of[at]!;
    node = node.map((at) => refined.of[at]!);
    network = aggregate(network, refined);
  }
}

/**
 * Modularity of clusters at a resolution: the share of weight inside clusters, less what chance would put there.
 *
 * Reference: Reichardt and Bornholdt 2006; igraph `Graph.modularity(resolution=...)`.
 *
 * @param graph Symmetric weighted graph
 * @param clusters Cluster of each of its n cells
 * @param resolution Weight of the chance term; 1 by default
 * @returns At most 1; 0 for a graph without edges
 * @throws {RangeError} When there is not one cluster a cell
 */
export function modularity(
  graph: WeightedGraph,
  clusters: Uint32Array,
  resolution = 1,
): number {
  const { n, strength, total } = networkOf(graph);
  if (clusters.length !== n) {
    throw new RangeError(
      `Cannot compute modularity as there must be a cluster for each of ${n} cells: got ${clusters.length}`,
    );
  }
  if (total === 0) return 0;
  const { of, count } = compact(clusters);
  const strengths = new Float64Array(count);
  let inside = 0;
  for (let cell = 0; cell < n; cell++) {
    strengths[of[cell]!]! += strength[cell]!;
    for (let at = graph.indptr[cell]!; at < graph.indptr[cell + 1]!; at++) {
      if (of[graph.indices[at]!] === of[cell]) inside += graph.connectivities[at]!;
    }
  }
  const chance = strengths.reduce((sum, value) => sum + (value / total) ** 2, 0);
  return inside / total - resolution * chance;
}

function networkOf({ n, indptr, indices, connectivities }: WeightedGraph): Network {
  const strength = new Float64Array(n);
  let total = 0;
  for (let cell = 0; cell < n; cell++) {
    for (let at = indptr[cell]!; at < indptr[cell + 1]!; at++) {
      const weight = connectivities[at]!;
      if (!(weight >= 0 && weight < Infinity)) {
        throw new RangeError(
          `Cannot find clusters as weights must be >= 0: got ${weight} between cells ${cell} and ${
            indices[at]
          }`,
        );
      }
      strength[cell]! += weight;
    }
    total += strength[cell]!;
  }
  return { n, indptr, indices, weights: connectivities, strength, total };
}

/** Numbers clusters by falling size, the one with the first cell first among equals. */
function bySize(clusters: Uint32Array): Uint32Array<ArrayBuffer> {
  const { of, count } = compact(clusters);
  const sizes = new Uint32Array(count);
  for (const cluster of of) sizes[cluster]! += 1;
  const order = Array.from({ length: count }, (_, cluster) => cluster);
  order.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const rank = new Uint32Array(count);
  order.forEach((cluster, at) => rank[cluster] = at);
  return of.map((cluster) => rank[cluster]!);
}
