/** Local quadratic regression on one variable, with the interpolating surface that scikit-misc and R fit by default. */
import { refuseUnknownKeys } from "../../options.ts";

/** Terms of the local polynomial: 1, d, d². */
const TERMS = 3;

/** A cell of the k-d tree is divided where it holds more than this share of a neighbourhood's points. */
const CELL = 0.2;

/** Share of the range by which the bounding box is larger on each side. */
const MARGIN = 0.005;

/** A column is dependent when orthogonalising leaves less than this share of its length. */
const DEPENDENT = 100 * Number.EPSILON;

/** Points in ascending order of x. */
interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Value and slope of the local polynomial at a vertex. */
interface Vertex {
  readonly at: number;
  readonly value: number;
  readonly slope: number;
}

/**
 * Fits y over x with local quadratics and tricube weights. The local fits are made at the vertices of a k-d tree alone; between
 * two vertices the curve is the cubic with their values and slopes. A neighbourhood in which x takes too few values for a quadratic,
 * where scikit-misc fails, is widened until it has enough.
 *
 * Source: Cleveland & Grosse, "Computational methods for local regression", Statistics and Computing 1, 1991. Reference:
 * scikit-misc's `loess(x, y, span=span, degree=2)`, which it equals to 1e-13.
 *
 * @param x Where the points lie, finite. [n]
 * @param y Their values, finite. [n]
 * @param options `span`: share of the points that a local fit uses; 0.3 unless told, as in scanpy
 * @returns Fitted values in the order of the points. [n]
 * @throws {RangeError} When x has fewer than four values, or the span is not in (0, 1]
 */
export function loess(
  x: Float64Array,
  y: Float64Array,
  options: { readonly span?: number } = {},
): Float64Array<ArrayBuffer> {
  refuseUnknownKeys(options, ["span"], "fit a trend");
  const { span = 0.3 } = options;
  const n = x.length;
  if (!(span > 0 && span <= 1)) {
    throw new RangeError(`Cannot fit a trend as span must be in (0, 1]: got ${span}`);
  }
  if (new Set(x).size <= TERMS) {
    throw new RangeError(
      `Cannot fit a trend as the points must have more than ${TERMS} different x: got ${
        new Set(x).size
      } of ${n} points`,
    );
  }
  const order = Uint32Array.from(x.keys()).sort((a, b) => x[a]! - x[b]!);
  const points = {
    x: Float64Array.from(order, (i) => x[i]!),
    y: Float64Array.from(order, (i) => y[i]!),
  };
  const vertices = treeVertices(points.x, Math.floor(n * (span * CELL)));
  const fits = fitVertices(points, vertices, Math.max(1, Math.floor(n * span + 1e-5)));
  const fitted = new Float64Array(n);
  for (let i = 0, right = 1; i < n; i++) {
    while (points.x[i]! > fits[right]!.at) right++;
    fitted[order[i]!] = between(fits[right - 1]!, fits[right]!, points.x[i]!);
  }
  return fitted;
}

/** Ascending vertices of the tree over ascending x: the enlarged bounds, and where cells are cut. */
function treeVertices(x: Float64Array, most: number): number[] {
  const first = x[0]!, last = x.at(-1)!;
  const largest = Math.max(Math.abs(first), Math.abs(last));
  const margin = MARGIN * Math.max(last - first, 1e-10 * largest + 1e-30);
  const vertices = [first - margin, last + margin];
  const divide = (from: number, to: number, bounds: readonly [number, number]) => {
    if (to - from <= most) return;
    const end = medianCut(x, from, to); // the last point of the left half
    const cut = x[end - 1]!;
    if (cut === bounds[0] || cut === bounds[1]) return;
    vertices.push(cut);
    divide(from, end, [bounds[0], cut]);
    divide(end, to, [cut, bounds[1]]);
  };
  divide(0, x.length, [vertices[0]!, vertices[1]!]);
  return vertices.sort((a, b) => a - b);
}

/** Where x[from .. to] is divided: at the place nearest to the middle that parts no equal values, right before left; else in the middle. */
function medianCut(x: Float64Array, from: number, to: number): number {
  const middle = Math.floor((from + 1 + to) / 2);
  for (let offset = 0; middle + offset < to && middle + offset > from; offset = next(offset)) {
    if (x[middle + offset - 1] !== x[middle + offset]) return middle + offset;
  }
  return middle;
}

/** 0, 1, -1, 2, -2 … */
function next(offset: number): number {
  return offset > 0 ? -offset : 1 - offset;
}

/** The local fit at each of the ascending vertices, with the `nearest` points around it. */
function fitVertices(points: Points, vertices: readonly number[], nearest: number): Vertex[] {
  const { x } = points;
  let start = 0; // the nearest points are start .. start + nearest
  return vertices.map((at) => {
    while (start + nearest < x.length && x[start + nearest]! - at < at - x[start]!) start++;
    return localFit(points, at, widen(x, at, { start, end: start + nearest }));
  });
}

/** Points start .. end around a vertex. */
interface Neighborhood {
  readonly start: number;
  readonly end: number;
}

/** Distance from the vertex to the farthest point, where weights end. */
function radiusOf(x: Float64Array, at: number, { start, end }: Neighborhood): number {
  return Math.max(at - x[start]!, x[end - 1]! - at);
}

/** Adds the next x, with all its points, until enough different ones have a weight. */
function widen(x: Float64Array, at: number, { start, end }: Neighborhood): Neighborhood {
  while (end - start < x.length && !isDetermined(x, at, { start, end })) {
    const isRight = start === 0 || (end < x.length && x[end]! - at <= at - x[start - 1]!);
    const added = isRight ? x[end] : x[start - 1];
    while (isRight && x[end] === added) end++;
    while (!isRight && x[start - 1] === added) start--;
  }
  return { start, end };
}

/** Whether the points inside the radius have as many different x as the polynomial has terms. */
function isDetermined(x: Float64Array, at: number, points: Neighborhood): boolean {
  const radius = radiusOf(x, at, points);
  let different = 0;
  for (let i = points.start, last = NaN; i < points.end && different < TERMS; i++) {
    if (x[i] === last || Math.abs(x[i]! - at) === radius) continue;
    last = x[i]!;
    different++;
  }
  return different === TERMS;
}

/** Weighted least squares of 1, d, d² over the points around a vertex. */
function localFit({ x, y }: Points, at: number, around: Neighborhood): Vertex {
  const n = around.end - around.start, radius = radiusOf(x, at, around);
  const target = new Float64Array(n);
  const columns = Array.from({ length: TERMS }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    const distance = x[around.start + i]! - at;
    const weight = Math.sqrt(tricube(Math.abs(distance / radius)));
    target[i] = weight * y[around.start + i]!;
    let entry = weight;
    for (const column of columns) {
      column[i] = entry;
      entry *= distance;
    }
  }
  const [value, slope] = leastSquares(columns, target);
  return { at, value: value!, slope: slope! };
}

/** (1 - u³)³: the weight of a point at the share u of the radius. */
function tricube(u: number): number {
  const part = 1 - u * u * u;
  return part * part * part;
}

/** Coefficients of columns for a target, by modified Gram-Schmidt in place; 0 for a column that depends on those before it. */
function leastSquares(columns: readonly Float64Array[], target: Float64Array): Float64Array {
  const least = columns.map((column) => dot(column, column) * DEPENDENT ** 2);
  const parts = columns.map((column, k) => {
    const square = dot(column, column);
    if (square <= least[k]!) return undefined;
    return [...columns.slice(k + 1), target].map((other) => {
      const share = dot(column, other) / square;
      for (let i = 0; i < other.length; i++) other[i]! -= share * column[i]!;
      return share;
    }); // of the later columns, and of the target
  });
  const coefficients = new Float64Array(columns.length);
  for (let k = columns.length - 1; k >= 0; k--) {
    const shares = parts[k];
    if (shares === undefined) continue;
    coefficients[k] = shares.at(-1)!;
    for (let j = k + 1; j < columns.length; j++) {
      coefficients[k]! -= shares[j - k - 1]! * coefficients[j]!;
    }
  }
  return coefficients;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The cubic with the values and slopes of two vertices, at x. */
function between(left: Vertex, right: Vertex, x: number): number {
  const width = right.at - left.at;
  const h = (x - left.at) / width, g = 1 - h;
  const ofValues = g * g * (1 + 2 * h) * left.value + h * h * (3 - 2 * h) * right.value;
  const ofSlopes = h * g * g * left.slope - h * h * g * right.slope;
  return ofValues + ofSlopes * width;
}
