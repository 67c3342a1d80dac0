/** Exact nearest neighbours: products on the device, the last word in float64 on the host. */
import { type Device, run, scope, Tensor } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { turns } from "./turns.ts";

/** Neighbours of m queries, nearest first. */
export interface Neighbors {
  /** k. */
  readonly k: number;
  /** Reference rows [m, k]; equal distances are ordered by row. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Distances [m, k]. */
  readonly distances: Float32Array<ArrayBuffer>;
}

/** Settings of {@linkcode nearestNeighbors}. */
export interface NearestNeighborsOptions {
  /** Dimensions d of reference and query rows. */
  readonly nDims: number;
  /** Neighbours wanted; 10 by default, as in the paper's reference mapping. */
  readonly k?: number;
  /** `euclidean` (default), or `cosine`: 1 - cos. */
  readonly metric?: "euclidean" | "cosine";
  /** Reference rows multiplied at a time, which bounds memory; 8,192 by default. */
  readonly tile?: number;
  /** Stops between tiles. */
  readonly signal?: AbortSignal;
}

/** Candidates taken beyond k, so that float32 rounding seldom hides a neighbour. */
const MARGIN = 22;
/** Query rows multiplied at a time. */
const QUERY_TILE = 512;

/**
 * The k exact nearest reference rows of each query row, the same on every device: tiles of 2 q·r - |r|² and their `top_k` on the device, then
 * distances of the candidates in float64. Where float32 cannot prove that no other row is nearer, all rows are compared in float64.
 *
 * Reference: the paper's reference mapping (faiss `IndexFlatL2`), without its float32 ties.
 *
 * @param device Device that multiplies
 * @param reference Rows [n, d]
 * @param query Rows [m, d]
 * @param options Settings
 * @returns Indices and distances [m, k]
 * @throws {RangeError} When a size does not fit, a value is not finite, k is not in 1..n, or a cosine is asked of a zero row
 */
export async function nearestNeighbors(
  device: Device,
  reference: Float32Array,
  query: Float32Array,
  options: NearestNeighborsOptions,
): Promise<Neighbors> {
  refuseUnknownKeys(options, ["nDims", "k", "metric", "tile", "signal"], "find neighbours");
  const { nDims, k = 10, metric = "euclidean", tile = 8192, signal } = options;
  const space = spaceOf(reference, query, { nDims, metric });
  if (!Number.isInteger(k) || k < 1 || k > space.n) {
    throw new RangeError(
      `Cannot find neighbours as k must be in 1..${space.n} reference rows: got ${k}`,
    );
  }
  if (!Number.isInteger(tile) || tile < 64 || tile % 64 !== 0) {
    throw new RangeError(`Cannot find neighbours as tile must be a multiple of 64: got ${tile}`);
  }
  const indices = new Uint32Array(space.m * k), distances = new Float32Array(space.m * k);
  using rows = Tensor.from(device, "f32", [space.n, nDims], space.reference.shifted);
  using squares = Tensor.from(device, "f32", [space.n], space.squares);
  const turn = turns(signal);
  for (let start = 0; start < space.m; start += QUERY_TILE) {
    const end = Math.min(start + QUERY_TILE, space.m);
    const candidates = await candidatesOf({ rows, squares, space }, [start, end], {
      k,
      tile,
      turn,
    });
    for (let q = start; q < end; q++) {
      await turn();
      const found = nearestOf(space, q, candidates[q - start]!, k);
      found.forEach(({ row, square }, rank) => {
        indices[q * k + rank] = row;
        distances[q * k + rank] = metric === "cosine" ? square / 2 : Math.sqrt(square);
      });
    }
  }
  return { k, indices, distances };
}

/** Points as they were given, and as the device sees them. */
interface Points {
  readonly values: Float32Array; // [rows, d]
  readonly scales: Float64Array; // what each row is multiplied by: 1/|x| for cosines, else 1
  readonly shifted: Float32Array<ArrayBuffer>; // x · scale, less the reference's mean: keeps float32 scores sharp
}

interface Space {
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly reference: Points;
  readonly query: Points;
  readonly squares: Float32Array<ArrayBuffer>; // |r|² of the shifted reference [n]
  readonly largest: number; // of |r|
}

function spaceOf(
  reference: Float32Array,
  query: Float32Array,
  { nDims: d, metric }: { nDims: number; metric: string },
): Space {
  if (metric !== "euclidean" && metric !== "cosine") {
    throw new RangeError(
      `Cannot find neighbours as metric must be "euclidean" or "cosine": got "${metric}"`,
    );
  }
  checkPoints("reference", reference, d);
  checkPoints("query", query, d);
  const n = reference.length / d, m = query.length / d;
  const scalesOf = (name: string, values: Float32Array): Float64Array =>
    metric === "cosine"
      ? inverseLengths(name, values, d)
      : new Float64Array(values.length / d).fill(1);
  const scales = { reference: scalesOf("reference", reference), query: scalesOf("query", query) };
  const mean = new Float64Array(d);
  for (let at = 0; at < reference.length; at++) {
    mean[at % d]! += reference[at]! * scales.reference[Math.floor(at / d)]! / n;
  }
  const points = (values: Float32Array, own: Float64Array): Points => ({
    values,
    scales: own,
    shifted: new Float32Array(values).map((x, at) => x * own[Math.floor(at / d)]! - mean[at % d]!),
  });
  const placed = points(reference, scales.reference);
  const squares = Float32Array.from({ length: n }, (_, r) => squaredLength(placed.shifted, r, d));
  const largest = Math.sqrt(squares.reduce((most, value) => Math.max(most, value), 0));
  return { n, m, d, reference: placed, query: points(query, scales.query), squares, largest };
}

function checkPoints(name: string, values: Float32Array, nDims: number): void {
  if (!Number.isInteger(nDims) || nDims < 1 || values.length % nDims !== 0) {
    throw new RangeError(
      `Cannot find neighbours as ${name} must hold whole rows of nDims = ${nDims}: got ${values.length} values`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const place = `${name} row ${Math.floor(bad / nDims)}, dimension ${bad % nDims}`;
    throw new RangeError(
      `Cannot find neighbours as values must be finite: got ${values[bad]} in ${place}`,
    );
  }
}

function inverseLengths(name: string, values: Float32Array, d: number): Float64Array {
  const inverse = new Float64Array(values.length / d);
  for (let row = 0; row < inverse.length; row++) {
    const square = squaredLength(values, row, d);
    if (square === 0) {
      throw new RangeError(`Cannot take cosines as rows must not be zero: ${name} row ${row} is`);
    }
    inverse[row] = 1 / Math.sqrt(square);
  }
  return inverse;
}

/** Reference rows that may be near one query, and the best score that any other row can have. */
interface Candidates {
  readonly rows: number[];
  /** Largest float32 score 2 q·r - |r|² that a row left out can have; -Infinity when none was left out. */
  bound: number;
}

async function candidatesOf(
  { rows, squares, space }: { rows: Tensor; squares: Tensor; space: Space },
  [start, end]: readonly [number, number],
  { k, tile, turn }: { k: number; tile: number; turn: () => Promise<void> },
): Promise<Candidates[]> {
  const { n, d } = space;
  const device = rows.device;
  const doubled = Float32Array.from(
    space.query.shifted.subarray(start * d, end * d),
    (value) => 2 * value,
  );
  using query = Tensor.from(device, "f32", [1, end - start, d], doubled);
  const found: Candidates[] = Array.from(
    { length: end - start },
    () => ({ rows: [], bound: -Infinity }),
  );
  for (let first = 0; first < n; first += tile) {
    await turn();
    const last = Math.min(first + tile, n);
    const take = Math.min(k + MARGIN, last - first);
    const best = scope(device, () => {
      const b = rows.rows(first, last).reshape([1, last - first, d]);
      const { y } = run("matmul", { a: query, b }, { transposeA: false, transposeB: true });
      const a = y.reshape([end - start, last - first]);
      const scores = run("binary", { a, b: squares.rows(first, last) }, { fn: "sub" }).y;
      return run("top_k", { x: scores }, { k: take });
    });
    using value = best.value, index = best.index;
    const [values, columns] = await Promise.all([value.data(), index.integers()]);
    found.forEach((candidates, q) => {
      for (let rank = 0; rank < take; rank++) {
        candidates.rows.push(first + columns[q * take + rank]!);
      }
      if (take < last - first) {
        candidates.bound = Math.max(candidates.bound, values[(q + 1) * take - 1]!);
      }
    });
  }
  return found;
}

/** A reference row and its squared distance. */
interface Found {
  readonly row: number;
  readonly square: number;
}

/** The k nearest among the candidates, or among all rows where rounding might have hidden one. */
function nearestOf(space: Space, q: number, { rows, bound }: Candidates, k: number): Found[] {
  const near = rows.map((row) => ({ row, square: squaredDistance(space, q, row) })).sort(
    byDistance,
  );
  const length2 = squaredLength(space.query.shifted, q, space.d);
  // A float32 score errs by at most (d + 4) 2^-23 (2 |q| |r| + |r|²), in any order of summation.
  const scale = space.largest * (2 * Math.sqrt(length2) + space.largest);
  const slack = (space.d + 4) * 2 ** -23 * scale;
  const nearestLeftOut = length2 - bound - slack;
  if (near[k - 1]!.square < nearestLeftOut) return near.slice(0, k);
  const all = Array.from(
    { length: space.n },
    (_, row) => ({ row, square: squaredDistance(space, q, row) }),
  );
  return all.sort(byDistance).slice(0, k);
}

function byDistance(a: Found, b: Found): number {
  return a.square - b.square || a.row - b.row;
}

/** In float64, from the points as they were given. */
function squaredDistance({ reference, query, d }: Space, q: number, r: number): number {
  const a = query.scales[q]!, b = reference.scales[r]!;
  let sum = 0;
  for (let at = 0; at < d; at++) {
    sum += (query.values[q * d + at]! * a - reference.values[r * d + at]! * b) ** 2;
  }
  return sum;
}

function squaredLength(values: Float32Array, row: number, d: number): number {
  let sum = 0;
  for (let at = row * d; at < (row + 1) * d; at++) sum += values[at]! ** 2;
  return sum;
}
