/** Diffusion maps: coordinates in which distance is how hard a random walk finds the way. */
import { leadingEigen } from "../analysis/leading_eigen.ts";
import type { WeightedGraph } from "../analysis/neighbors.ts";
import { symmetricEigen } from "../analysis/symmetric_eigen.ts";

/** Rows of a symmetric matrix. */
interface SparseMatrix {
  readonly n: number;
  readonly indptr: Uint32Array;
  readonly indices: Uint32Array;
  readonly data: Float64Array;
}

/** From this multiple of the wanted pairs on, a high power spreads the wanted eigenvalues apart; below it would lose the small ones. */
const SMALL = 4;
/** Residual of eigenpairs relative to the largest eigenvalue. */
const TOLERANCE = 1e-4;

/**
 * Diffusion coordinates of the subgraph of some cells: eigenvectors of the density-normalised transitions whose eigenvalues λ are largest
 * in magnitude, each times λ / (1 - λ), which sums the walk over all times; those with λ = 1, constant along a component, stay as they are.
 *
 * Reference: scib-metrics 0.5.10 `utils.diffusion_nn`, scanpy `tl.diffmap`. There the leading λ is 1 only up to float32 rounding; where it
 * comes out as 0.99999994 its eigenvector is scaled by 1.7e7 and hides all others.
 *
 * @param graph Connectivities of n cells
 * @param cells The m cells of the subgraph, ascending
 * @param options Coordinates wanted, at most m - 1, and what lets waiting events through
 * @returns Coordinates [m, k] with k = nComponents, or fewer where the transitions have a smaller rank
 */
export async function diffusionMap(
  graph: WeightedGraph,
  cells: Uint32Array,
  { nComponents, turn }: {
    readonly nComponents: number;
    readonly turn: () => Promise<void>;
  },
): Promise<{ readonly nDims: number; readonly data: Float32Array<ArrayBuffer> }> {
  const T = transitions(subgraph(graph, cells));
  const count = Math.min(nComponents, T.n - 1);
  // An even power of T is positive semidefinite and its leading space is that of the largest |λ|; within it T itself tells λ.
  const power = T.n > SMALL * count ? 8 : 2;
  const space = await leadingEigen((vector) => powerTimes(T, power, vector), {
    size: T.n,
    count,
    seed: 0,
    tolerance: TOLERANCE,
    turn,
  });
  const nDims = space.values.length;
  await turn();
  const { values, vectors } = rayleighRitz(T, space.vectors, nDims);
  const data = new Float32Array(T.n * nDims);
  for (let pair = 0; pair < nDims; pair++) {
    const value = values[pair]!;
    const scale = 1 - value < 1e-6 ? 1 : value / (1 - value);
    for (let row = 0; row < T.n; row++) {
      data[row * nDims + pair] = scale * vectors[pair * T.n + row]!;
    }
  }
  return { nDims, data };
}

/** Edges between the chosen cells, renumbered. */
function subgraph(graph: WeightedGraph, cells: Uint32Array): SparseMatrix {
  const place = new Int32Array(graph.n).fill(-1);
  cells.forEach((cell, at) => place[cell] = at);
  const indptr = new Uint32Array(cells.length + 1);
  const indices: number[] = [], data: number[] = [];
  cells.forEach((cell, row) => {
    for (let at = graph.indptr[cell]!; at < graph.indptr[cell + 1]!; at++) {
      const to = place[graph.indices[at]!]!;
      if (to < 0) continue;
      indices.push(to);
      data.push(graph.connectivities[at]!);
    }
    indptr[row + 1] = data.length;
  });
  return {
    n: cells.length,
    indptr,
    indices: Uint32Array.from(indices),
    data: Float64Array.from(data),
  };
}

/** Z Q W Q Z: Q divides by the cells' densities, Z by the roots of the row sums that are then left. */
function transitions(weights: SparseMatrix): SparseMatrix {
  const density = rowSums(weights);
  const even = scaled(weights, density.map((sum) => 1 / sum));
  return scaled(even, rowSums(even).map((sum) => 1 / Math.sqrt(sum)));
}

function rowSums({ n, indptr, data }: SparseMatrix): Float64Array {
  const sums = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) sums[row]! += data[at]!;
  }
  return sums;
}

/** D M D for a diagonal D. */
function scaled(matrix: SparseMatrix, diagonal: Float64Array): SparseMatrix {
  const data = matrix.data.slice();
  for (let row = 0; row < matrix.n; row++) {
    for (let at = matrix.indptr[row]!; at < matrix.indptr[row + 1]!; at++) {
      data[at]! *= diagonal[row]! * diagonal[matrix.indices[at]!]!;
    }
  }
  return { ...matrix, data };
}

function times({ n, indptr, indices, data }: SparseMatrix, vector: Float64Array): Float64Array {
  const product = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    let sum = 0;
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      sum += data[at]! * vector[indices[at]!]!;
    }
    product[row] = sum;
  }
  return product;
}

function powerTimes(T: SparseMatrix, power: number, vector: Float64Array): Float64Array {
  let product = vector;
  for (let step = 0; step < power; step++) product = times(T, product);
  return product;
}

/** Eigenpairs of T within an invariant space, given by orthonormal rows [count, n]. */
function rayleighRitz(T: SparseMatrix, basis: Float64Array, count: number) {
  const projected = new Float64Array(count * count);
  const row = (i: number): Float64Array => basis.subarray(i * T.n, (i + 1) * T.n);
  for (let i = 0; i < count; i++) {
    const image = times(T, row(i));
    for (let j = 0; j <= i; j++) {
      const along = row(j).reduce((sum, value, at) => sum + value * image[at]!, 0);
      projected[i * count + j] = projected[j * count + i] = along;
    }
  }
  const { values, vectors: turn } = symmetricEigen(projected, count);
  const vectors = new Float64Array(basis.length);
  for (let pair = 0; pair < count; pair++) {
    const turned = vectors.subarray(pair * T.n, (pair + 1) * T.n);
    for (let i = 0; i < count; i++) {
      const weight = turn[pair * count + i]!, from = row(i);
      for (let at = 0; at < T.n; at++) turned[at]! += weight * from[at]!;
    }
  }
  return { values, vectors };
}
