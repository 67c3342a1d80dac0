/** Two-dimensional UMAP, for pictures. */
import { UMAP } from "umap-js";
import { type Device, RandomStream, STREAM } from "../../gpu/mod.ts";
import { eventTurn, refuseUnknownKeys } from "../../lib/mod.ts";
import { nearestNeighbors } from "./knn.ts";
import { pca } from "./pca.ts";

/** Settings of {@linkcode umap}; scanpy's defaults. */
export interface UmapOptions {
  /** Dimensions of the input rows. */
  readonly nDims: number;
  /** Neighbours of a cell, itself included; 15 by default. */
  readonly nNeighbors?: number;
  /** Distance that neighbours keep in the picture; 0.5 by default. */
  readonly minDist?: number;
  /** Extent of clusters; 1 by default. */
  readonly spread?: number;
  /** Passes; 500 by default, 200 for more than 10,000 cells, as umap-learn. */
  readonly nEpochs?: number;
  /** `euclidean` (default) or `cosine`. */
  readonly metric?: "euclidean" | "cosine";
  /** Seed of all draws; 0 by default. */
  readonly seed?: number;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/** Coordinates of a picture. */
export interface Embedding2d {
  /** Horizontal coordinates [n]. */
  readonly x: Float32Array<ArrayBuffer>;
  /** Vertical coordinates [n]. */
  readonly y: Float32Array<ArrayBuffer>;
}

const OPTIONS = ["nDims", "nNeighbors", "minDist", "spread", "nEpochs", "metric", "seed", "signal"];
/** Passes between two looks at the signal's cause. */
const EPOCHS_A_TURN = 10;
/** Largest coordinate at the start, as in umap-learn. */
const INITIAL_EXTENT = 10;

/**
 * UMAP from exact neighbours and from the first two principal components as the start, so that the same seed gives the same picture and
 * the layout keeps the large-scale order.
 *
 * Reference: scanpy `pp.neighbors(n_neighbors=15)` and `tl.umap(min_dist=0.5)`, which start from a spectral layout instead; Kobak and
 * Linderman 2021 on the start.
 *
 * @param device Device that finds the neighbours
 * @param rows Cell embeddings or principal components [n, nDims]
 * @param options Settings
 * @returns Coordinates of the n cells
 * @throws {RangeError} When there are not more than nNeighbors cells, or a setting is out of range
 */
export async function umap(
  device: Device,
  rows: Float32Array,
  options: UmapOptions,
): Promise<Embedding2d> {
  refuseUnknownKeys(options, OPTIONS, "compute a UMAP");
  const {
    nDims,
    nNeighbors = 15,
    minDist = 0.5,
    spread = 1,
    metric = "euclidean",
    seed = 0,
    signal,
  } = options;
  const n = rows.length / nDims;
  checkUmap({ n, nNeighbors, minDist, spread });
  const neighbors = await nearestNeighbors(device, rows, rows, { nDims, k: nNeighbors, metric });
  const random = new RandomStream(seed, STREAM.solver);
  const nEpochs = options.nEpochs ?? (n <= 10_000 ? 500 : 200);
  const layout = new UMAP({ nNeighbors, minDist, spread, nEpochs, random: () => random.next() });
  layout.setPrecomputedKNN(
    rowsOf(neighbors.indices, nNeighbors),
    rowsOf(neighbors.distances, nNeighbors),
  );
  layout.initializeFit(rowsOf(rows, nDims));
  const points = layout.getEmbedding(); // umap-js moves these very arrays
  start(rows, nDims, seed).forEach((point, cell) => points[cell]!.splice(0, 2, ...point));
  for (let epoch = 0; epoch < nEpochs; epoch++) {
    if (epoch % EPOCHS_A_TURN === 0) await eventTurn();
    signal?.throwIfAborted();
    layout.step();
  }
  return { x: Float32Array.from(points, ([x]) => x!), y: Float32Array.from(points, ([, y]) => y!) };
}

function checkUmap(
  { n, nNeighbors, minDist, spread }: {
    n: number;
    nNeighbors: number;
    minDist: number;
    spread: number;
  },
): void {
  if (!Number.isInteger(nNeighbors) || nNeighbors < 2 || !(n > nNeighbors)) {
    throw new RangeError(
      `Cannot compute a UMAP as nNeighbors must be in 2..(cells - 1): got ${nNeighbors} for ${n} cells`,
    );
  }
  if (!(spread > 0) || !(minDist >= 0 && minDist <= spread)) {
    throw new RangeError(
      `Cannot compute a UMAP as 0 <= minDist <= spread must hold: got minDist ${minDist} and spread ${spread}`,
    );
  }
}

/** The first two principal components, scaled to the extent, with a little noise that parts equal cells. */
function start(rows: Float32Array, nDims: number, seed: number): [number, number][] {
  const n = rows.length / nDims;
  const { scores, nComponents } = pca({ nRows: n, nCols: nDims, data: rows }, {
    nComponents: 2,
    seed,
  });
  const largest = scores.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const noise = new RandomStream(seed, STREAM.solver, [1, 0]);
  const coordinate = (cell: number, axis: number): number => {
    const score = axis < nComponents ? scores[cell * nComponents + axis]! : 0;
    return score / largest * INITIAL_EXTENT + 1e-4 * noise.normal();
  };
  return Array.from({ length: n }, (_, cell) => [coordinate(cell, 0), coordinate(cell, 1)]);
}

function rowsOf(values: Float32Array | Uint32Array, nCols: number): number[][] {
  return Array.from(
    { length: values.length / nCols },
    (_, row) => Array.from(values.subarray(row * nCols, (row + 1) * nCols)),
  );
}
