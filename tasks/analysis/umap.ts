/** Two-dimensional UMAP, for pictures. */
import { type Device, RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { neighbors, type NeighborsOptions, type WeightedGraph } from "./neighbors.ts";
import { spectralLayout } from "./spectral.ts";
import { turns } from "./turns.ts";
import { fitUmapCurve } from "./umap_curve.ts";
import { optimizeLayout } from "./umap_layout.ts";

/** Settings of {@linkcode umapLayout}; scanpy's defaults. */
export interface UmapLayoutOptions {
  /** Distance that neighbours keep in the picture; 0.5 by default. */
  readonly minDist?: number;
  /** Extent of clusters; 1 by default. */
  readonly spread?: number;
  /** Passes; 500 by default, 200 for more than 10,000 cells, as umap-learn. */
  readonly nEpochs?: number;
  /** Seed of all draws; 0 by default. */
  readonly seed?: number;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/** Settings of {@linkcode umap}; scanpy's defaults. */
export interface UmapOptions extends NeighborsOptions, UmapLayoutOptions {}

/** Coordinates of a picture. */
export interface Embedding2d {
  /** Horizontal coordinates [n]. */
  readonly x: Float32Array<ArrayBuffer>;
  /** Vertical coordinates [n]. */
  readonly y: Float32Array<ArrayBuffer>;
}

const LAYOUT_OPTIONS = ["minDist", "spread", "nEpochs", "seed", "signal"];
const OPTIONS = ["nDims", "nNeighbors", "metric", ...LAYOUT_OPTIONS];
/** Width and height at the start, as in umap-learn. */
const INITIAL_EXTENT = 10;
/** Standard deviation of the noise that parts equal cells at the start. */
const NOISE = 1e-4;
/** Draws apart from those of other solvers with the same seed. */
const DRAWS = [1, 0] as const;

/**
 * UMAP of cells: their neighbour graph, laid out. The same seed gives the same picture.
 *
 * Reference: scanpy `pp.neighbors` and `tl.umap`.
 *
 * @param device Device that finds the neighbours
 * @param rows Cell embeddings or principal components [n, nDims]
 * @param options Settings
 * @returns Coordinates of the n cells
 * @throws {RangeError} When nNeighbors is not in 2..n, or a setting is out of range
 */
export async function umap(
  device: Device,
  rows: Float32Array,
  options: UmapOptions,
): Promise<Embedding2d> {
  refuseUnknownKeys(options, OPTIONS, "compute a UMAP");
  const { nDims, nNeighbors = 15, metric = "euclidean", ...layout } = options;
  checkLayout(layout);
  const { signal } = layout;
  const search = { nDims, nNeighbors, metric, ...(signal && { signal }) };
  return await umapLayout(await neighbors(device, rows, search), layout);
}

/**
 * UMAP of a neighbour graph, from a spectral start. Use it where the graph serves clustering too.
 *
 * Reference: scanpy `tl.umap`; umap-learn `simplicial_set_embedding`.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { neighbors, umapLayout } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const rows = new Float32Array([0, 1, 3, 4, 10, 11, 13]);
 * const graph = await neighbors(device, rows, { nDims: 1, nNeighbors: 4 });
 * const { x, y } = await umapLayout(graph, { nEpochs: 50 });
 * assert.deepEqual([x.length, y.length], [7, 7]);
 * ```
 *
 * @param graph Symmetric weighted graph of n cells
 * @param options Settings
 * @returns Coordinates of the n cells
 * @throws {RangeError} When a setting is out of range
 */
export async function umapLayout(
  graph: WeightedGraph,
  options: UmapLayoutOptions = {},
): Promise<Embedding2d> {
  refuseUnknownKeys(options, LAYOUT_OPTIONS, "lay out a UMAP");
  checkLayout(options);
  const { minDist = 0.5, spread = 1, seed = 0, signal } = options;
  const usual = graph.n <= 10_000 ? 500 : 200;
  const { nEpochs = usual } = options;
  const turn = turns(signal);
  const drawn = heavyEdges(graph, nEpochs > 10 ? nEpochs : usual);
  const points = spreadOut(await spectralLayout(drawn, { seed, turn }), seed);
  await optimizeLayout(drawn, points, {
    curve: fitUmapCurve(minDist, spread),
    nEpochs,
    seed,
    turn,
  });
  const axis = (at: number) =>
    Float32Array.from({ length: graph.n }, (_, i) => points[2 * i + at]!);
  return { x: axis(0), y: axis(1) };
}

function checkLayout({ minDist = 0.5, spread = 1, nEpochs = 1 }: UmapLayoutOptions): void {
  if (!(spread > 0) || !(minDist >= 0 && minDist <= spread)) {
    throw new RangeError(
      `Cannot compute a UMAP as 0 <= minDist <= spread must hold: got minDist ${minDist} and spread ${spread}`,
    );
  }
  if (!Number.isInteger(nEpochs) || nEpochs < 1) {
    throw new RangeError(
      `Cannot compute a UMAP as nEpochs must be a positive integer: got ${nEpochs}`,
    );
  }
}

/** The edges that are drawn at least once in so many passes. */
function heavyEdges(graph: WeightedGraph, nEpochs: number): WeightedGraph {
  const least = graph.connectivities.reduce((most, w) => Math.max(most, w), 0) / nEpochs;
  const indptr = new Uint32Array(graph.n + 1);
  const indices = graph.indices.slice(), connectivities = graph.connectivities.slice();
  let end = 0;
  for (let cell = 0; cell < graph.n; cell++) {
    for (let at = graph.indptr[cell]!; at < graph.indptr[cell + 1]!; at++) {
      if (connectivities[at]! < least) continue;
      indices[end] = indices[at]!;
      connectivities[end++] = connectivities[at]!;
    }
    indptr[cell + 1] = end;
  }
  return {
    n: graph.n,
    indptr,
    indices: indices.slice(0, end),
    connectivities: connectivities.slice(0, end),
  };
}

/** Adds the noise, and stretches both axes over 0 .. the initial extent. */
function spreadOut(points: Float64Array, seed: number): Float64Array {
  const random = new RandomStream(seed, STREAM.solver, DRAWS);
  const largest = points.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const noisy = points.map((value) => value / largest * INITIAL_EXTENT + NOISE * random.normal());
  const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  noisy.forEach((value, at) => {
    low[at % 2] = Math.min(low[at % 2]!, value);
    high[at % 2] = Math.max(high[at % 2]!, value);
  });
  return noisy.map((value, at) =>
    (value - low[at % 2]!) / (high[at % 2]! - low[at % 2]!) * INITIAL_EXTENT
  );
}
