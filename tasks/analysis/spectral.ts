/** A first layout of a graph, from the slowest modes of diffusion on it. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { type Components, connectedComponents } from "./components.ts";
import { leadingEigen } from "./leading_eigen.ts";
import type { WeightedGraph } from "./neighbors.ts";

/** Settings of {@linkcode spectralLayout}. */
export interface SpectralOptions {
  /** Seed of the solver and of small components' places. */
  readonly seed: number;
  /** Awaited now and then. */
  readonly turn: () => Promise<void>;
}

/** Fewest cells of a component that has modes worth drawing. */
const LEAST_CELLS = 4;
/** Residual of the modes, as in umap-learn. */
const TOLERANCE = 1e-4;
/** Draws apart from those of other solvers with the same seed. */
const DRAWS = [4, 0] as const;

/**
 * The second and third eigenvector of D^-1/2 W D^-1/2 for each connected component. Several components stand around a circle, the largest first,
 * and none reaches into its neighbour.
 *
 * Reference: umap-learn `spectral_layout`, which places components by their mean expression instead.
 *
 * @param graph Symmetric graph of n cells
 * @param options Seed and pauses
 * @returns Coordinates [n, 2], of any extent
 */
export async function spectralLayout(
  graph: WeightedGraph,
  { seed, turn }: SpectralOptions,
): Promise<Float64Array> {
  const parts = cellsOf(connectedComponents(graph));
  const points = new Float64Array(2 * graph.n);
  const random = new RandomStream(seed, STREAM.solver, DRAWS);
  const reach = parts.length === 1 ? 1 : Math.sin(Math.PI / parts.length);
  for (const [at, cells] of parts.entries()) {
    const own = cells.length < LEAST_CELLS
      ? Float64Array.from({ length: 2 * cells.length }, () => 2 * random.next() - 1)
      : await slowestModes(graph, cells, { seed, turn });
    const extent = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const angle = 2 * Math.PI * at / parts.length, centred = parts.length === 1 ? 0 : 1;
    cells.forEach((cell, place) => {
      points[2 * cell] = centred * Math.cos(angle) + reach * own[2 * place]! / extent;
      points[2 * cell + 1] = centred * Math.sin(angle) + reach * own[2 * place + 1]! / extent;
    });
  }
  return points;
}

/** Cells of each component, the largest component first. */
function cellsOf({ of, count }: Components): number[][] {
  const cells: number[][] = Array.from({ length: count }, () => []);
  of.forEach((component, cell) => cells[component]!.push(cell));
  return cells.sort((a, b) => b.length - a.length);
}

/** Coordinates [cells, 2] along the modes of one component. */
async function slowestModes(
  { n, indptr, indices, connectivities }: WeightedGraph,
  cells: readonly number[],
  { seed, turn }: SpectralOptions,
): Promise<Float64Array> {
  const size = cells.length;
  const place = new Uint32Array(n);
  cells.forEach((cell, at) => place[cell] = at);
  const strength = Float64Array.from(
    cells,
    (cell) => connectivities.subarray(indptr[cell], indptr[cell + 1]).reduce((a, b) => a + b, 0),
  );
  const total = strength.reduce((a, b) => a + b, 0);
  const inverse = strength.map((value) => 1 / Math.sqrt(value));
  const stationary = strength.map((value) => Math.sqrt(value / total)); // the first mode, of eigenvalue 1
  /** (D^-1/2 W D^-1/2 + I) / 2 without its first mode: no eigenvalue is negative. */
  const diffuse = (v: Float64Array): Float64Array => {
    const along = v.reduce((sum, value, at) => sum + value * stationary[at]!, 0);
    const scaled = v.map((value, at) => value * inverse[at]!);
    return scaled.map((_, at) => {
      const cell = cells[at]!;
      let sum = 0;
      for (let edge = indptr[cell]!; edge < indptr[cell + 1]!; edge++) {
        sum += connectivities[edge]! * scaled[place[indices[edge]!]!]!;
      }
      return (v[at]! + sum * inverse[at]!) / 2 - along * stationary[at]!;
    });
  };
  const search = { size, count: 2, seed, tolerance: TOLERANCE, block: 2, turn };
  const { values, vectors } = await leadingEigen(diffuse, search);
  const points = new Float64Array(2 * size);
  for (let mode = 0; mode < values.length; mode++) {
    for (let at = 0; at < size; at++) points[2 * at + mode] = vectors[mode * size + at]!;
  }
  return points;
}
