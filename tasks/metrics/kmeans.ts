/** k-means clustering. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { checkRows, type DenseRows } from "../analysis/rows.ts";
import { turns } from "../analysis/turns.ts";

/** Settings of {@linkcode kMeans}. */
export interface KMeansOptions {
  /** Clusters. */
  readonly nClusters: number;
  /** Starts, of which the one with the least inertia is given; 1 by default. */
  readonly nInit?: number;
  /** Iterations of a start at most; 300 by default. */
  readonly maxIterations?: number;
  /** Seed of the starts; 0 by default. */
  readonly seed?: number;
  /** Stops the clustering. */
  readonly signal?: AbortSignal;
}

/** A clustering. */
export interface KMeans {
  /** Cluster of each row [n]. */
  readonly clusters: Uint32Array<ArrayBuffer>;
  /** Sum of squared distances to the clusters' centres. */
  readonly inertia: number;
}

const OPTIONS = ["nClusters", "nInit", "maxIterations", "seed", "signal"];

/**
 * Lloyd's k-means from greedy k-means++ starts.
 *
 * Reference: scib-metrics 0.5.10 `utils.KMeans`, scikit-learn `KMeans(init="k-means++")`. Draws differ from theirs, and with them the local
 * optimum that one start ends in: compare over seeds.
 *
 * @param rows Rows [n, d]
 * @param options `nClusters` and settings
 * @returns Clusters of the best start
 * @throws {RangeError} When sizes do not fit, or nClusters is not in 1..n
 */
export async function kMeans(rows: DenseRows, options: KMeansOptions): Promise<KMeans> {
  refuseUnknownKeys(options, OPTIONS, "cluster by k-means");
  const { nClusters, nInit = 1, maxIterations = 300, seed = 0, signal } = options;
  checkRows(rows, "cluster by k-means");
  for (
    const [name, value, most] of [
      ["nClusters", nClusters, rows.nRows],
      ["nInit", nInit, Infinity],
      ["maxIterations", maxIterations, Infinity],
    ] as const
  ) {
    if (Number.isInteger(value) && value >= 1 && value <= most) continue;
    throw new RangeError(
      `Cannot cluster by k-means as ${name} must be an integer in 1..${most}: got ${value}`,
    );
  }
  const turn = turns(signal);
  let best: KMeans | undefined;
  for (let start = 0; start < nInit; start++) {
    const random = new RandomStream(seed, STREAM.solver, [3, start]);
    const centres = await plusPlus(rows, { nClusters, random, turn });
    const found = await lloyd(rows, centres, { maxIterations, turn });
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Rows drawn far from those drawn before: of some candidates each time, the one that leaves the least inertia [nClusters, d]. */
async function plusPlus(
  rows: DenseRows,
  { nClusters, random, turn }: {
    nClusters: number;
    random: RandomStream;
    turn: () => Promise<void>;
  },
): Promise<Float64Array> {
  const { nRows, nCols, data } = rows;
  const trials = 2 + Math.floor(Math.log(nClusters));
  const centres = new Float64Array(nClusters * nCols);
  let left = new Float64Array(nRows).fill(Infinity); // squared distance to the nearest centre
  for (let cluster = 0; cluster < nClusters; cluster++) {
    let best = { row: 0, rest: left, inertia: Infinity };
    for (let trial = 0; trial < (cluster === 0 ? 1 : trials); trial++) {
      const row = cluster === 0 ? random.below(nRows) : drawByWeight(left, random);
      const centre = data.subarray(row * nCols, (row + 1) * nCols);
      const rest = left.map((before, other) =>
        Math.min(before, square(rows, other, { points: centre, start: 0, most: before }))
      );
      const inertia = rest.reduce((sum, value) => sum + value, 0);
      if (inertia < best.inertia) best = { row, rest, inertia };
      await turn();
    }
    left = best.rest;
    centres.set(data.subarray(best.row * nCols, (best.row + 1) * nCols), cluster * nCols);
  }
  return centres;
}

/** A row with probability proportional to its weight; any when all are 0. */
function drawByWeight(weights: Float64Array, random: RandomStream): number {
  const total = weights.reduce((sum, value) => sum + value, 0);
  let rest = random.next() * total;
  for (let row = 0; row < weights.length; row++) {
    rest -= weights[row]!;
    if (rest < 0) return row;
  }
  return weights.length - 1;
}

/** Assigns and averages in turn until no row changes its cluster; a cluster without rows keeps its centre. */
async function lloyd(
  rows: DenseRows,
  centres: Float64Array,
  { maxIterations, turn }: { maxIterations: number; turn: () => Promise<void> },
): Promise<KMeans> {
  const { nRows, nCols, data } = rows;
  const count = centres.length / nCols;
  const clusters = new Uint32Array(nRows).fill(count);
  let inertia = assign(rows, centres, clusters).inertia;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const sums = new Float64Array(centres.length), sizes = new Uint32Array(count);
    clusters.forEach((cluster, row) => {
      sizes[cluster]! += 1;
      for (let j = 0; j < nCols; j++) sums[cluster * nCols + j]! += data[row * nCols + j]!;
    });
    sums.forEach((sum, at) => {
      const size = sizes[Math.floor(at / nCols)]!;
      if (size > 0) centres[at] = sum / size;
    });
    const step = assign(rows, centres, clusters);
    inertia = step.inertia;
    if (step.moved === 0) break;
    await turn();
  }
  return { clusters, inertia };
}

/** Writes the nearest centre of each row. The one it had is tried first: most others are then given up after a few dimensions. */
function assign(
  rows: DenseRows,
  centres: Float64Array,
  clusters: Uint32Array,
): { inertia: number; moved: number } {
  const { nRows, nCols } = rows, count = centres.length / nCols;
  let inertia = 0, moved = 0;
  for (let row = 0; row < nRows; row++) {
    const own = clusters[row]!, tried = own < count ? own : 0;
    let nearest = tried;
    let least = square(rows, row, { points: centres, start: tried * nCols, most: Infinity });
    for (let start = 0, cluster = 0; start < centres.length; start += nCols, cluster++) {
      const distance = square(rows, row, { points: centres, start, most: least });
      if (distance < least || distance === least && cluster < nearest) {
        [least, nearest] = [distance, cluster];
      }
    }
    if (own !== nearest) moved++;
    clusters[row] = nearest;
    inertia += least;
  }
  return { inertia, moved };
}

/** Squared distance of a row to the point that starts at `start`; some larger number than `most` where it is larger. */
function square(
  { nCols, data }: DenseRows,
  row: number,
  { points, start, most }: {
    readonly points: Float32Array | Float64Array;
    readonly start: number;
    readonly most: number;
  },
): number {
  let sum = 0;
  for (let j = 0, at = row * nCols; j < nCols;) {
    const end = Math.min(j + 8, nCols);
    for (; j < end; j++) {
      const difference = data[at + j]! - points[start + j]!;
      sum += difference * difference;
    }
    if (sum > most) return sum;
  }
  return sum;
}
