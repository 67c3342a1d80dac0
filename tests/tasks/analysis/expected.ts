/** Python's numbers for the analyses of 90 simulated cells; tests/fixtures/tasks/analysis.json says how they were made. */
import type { Neighbors } from "../../../tasks/analysis/knn.ts";
import type { WeightedGraph } from "../../../tasks/analysis/neighbors.ts";
import { SKLEARN } from "../fixtures.ts";

interface Expected {
  knn: { indices: number[]; distances: number[] };
  graph: { indptr: number[]; indices: number[]; connectivities: number[] };
  /** By resolution. */
  leiden: Record<string, { modularity: number; clusters: number[] }>;
  /** minDist, spread, a, b. */
  curves: [number, number, number, number][];
  /** Two modes [90]. */
  spectral: [number[], number[]];
}

/** The file. */
export const EXPECTED: Expected = JSON.parse(
  await Deno.readTextFile(new URL("../../fixtures/tasks/analysis.json", import.meta.url)),
);

/** Principal components of the cells [90, 10]. */
export const ROWS: Float32Array = Float32Array.from(SKLEARN.pca.scores.flat());

/** Neighbours of the cells, each its own first. */
export const KNN: Neighbors = {
  k: 15,
  indices: Uint32Array.from(EXPECTED.knn.indices),
  distances: Float32Array.from(EXPECTED.knn.distances),
};

/** Connectivities of the cells. */
export const GRAPH: WeightedGraph = {
  n: 90,
  indptr: Uint32Array.from(EXPECTED.graph.indptr),
  indices: Uint32Array.from(EXPECTED.graph.indices),
  connectivities: Float32Array.from(EXPECTED.graph.connectivities),
};

/** A symmetric graph of undirected edges [from, to, weight]. */
export function graphOf(n: number, edges: readonly [number, number, number][]): WeightedGraph {
  const both = edges.flatMap(([a, b, w]) => [[a, b, w], [b, a, w]] as const);
  both.sort((x, y) => x[0] - y[0] || x[1] - y[1]);
  const indptr = new Uint32Array(n + 1);
  for (const [from] of both) indptr.fill(indptr[from + 1]! + 1, from + 1);
  return {
    n,
    indptr,
    indices: Uint32Array.from(both, ([, to]) => to),
    connectivities: Float32Array.from(both, ([, , weight]) => weight),
  };
}

/** Adjusted Rand index of two clusterings. */
export function adjustedRand(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (keys: string[]) => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts.values()].reduce((sum, count) => sum + count * (count - 1) / 2, 0);
  };
  const inA = Array.from(a, String), inB = Array.from(b, String);
  const both = pairs(inA.map((key, at) => `${key} ${inB[at]}`));
  const ofA = pairs(inA), ofB = pairs(inB), chance = ofA * ofB / (a.length * (a.length - 1) / 2);
  return (both - chance) / ((ofA + ofB) / 2 - chance);
}

/**
 * Trustworthiness of a picture: 1 unless neighbours in it are far apart in the rows.
 * Reference: scikit-learn `manifold.trustworthiness`.
 */
export function trustworthiness(
  rows: Float32Array,
  nDims: number,
  { x, y, k }: { x: Float32Array; y: Float32Array; k: number },
): number {
  const n = x.length;
  const far = new Float64Array(n), near = new Float64Array(n);
  let penalty = 0;
  for (let cell = 0; cell < n; cell++) {
    for (let other = 0; other < n; other++) {
      let sum = 0;
      for (let d = 0; d < nDims; d++) {
        sum += (rows[cell * nDims + d]! - rows[other * nDims + d]!) ** 2;
      }
      far[other] = sum;
      near[other] = (x[cell]! - x[other]!) ** 2 + (y[cell]! - y[other]!) ** 2;
    }
    near[cell] = Infinity;
    far[cell] = Infinity;
    const limit = near.slice().sort()[k - 1]!;
    for (let other = 0; other < n; other++) {
      if (near[other]! > limit) continue;
      let rank = 1;
      for (let third = 0; third < n; third++) if (far[third]! < far[other]!) rank++;
      penalty += Math.max(0, rank - k);
    }
  }
  return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty;
}
