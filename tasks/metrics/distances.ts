/** Distances between all pairs of rows, in float64. */
import type { DenseRows } from "../analysis/rows.ts";

/** Rows in float64; for cosines they have unit length, so that 1 - cos = |a - b|² / 2. */
export interface Points {
  /** Rows. */
  readonly n: number;
  /** Dimensions, with zeros up to a multiple of 4. */
  readonly width: number;
  /** Values [n, width]. */
  readonly values: Float64Array;
  /** Whether rows were brought to unit length. */
  readonly cosine: boolean;
}

/**
 * Prepares rows for {@linkcode squaredDistance}.
 *
 * @param rows Rows [n, d]
 * @param options Whether rows get unit length, and what cannot be done with odd ones
 * @returns The points
 * @throws {RangeError} When a value is not finite, or a row without length should get one
 */
export function pointsOf(
  { nRows: n, nCols, data }: DenseRows,
  { cosine, act }: { readonly cosine: boolean; readonly act: string },
): Points {
  const width = Math.ceil(nCols / 4) * 4;
  const values = new Float64Array(n * width);
  for (let row = 0; row < n; row++) {
    let square = 0;
    for (let j = 0; j < nCols; j++) square += data[row * nCols + j]! ** 2;
    if (!Number.isFinite(square) || (cosine && square === 0)) {
      const rule = Number.isFinite(square) ? "no row may be zero" : "values must be finite";
      throw new RangeError(`Cannot ${act} as ${rule}: row ${row} breaks it`);
    }
    const scale = cosine ? 1 / Math.sqrt(square) : 1;
    for (let j = 0; j < nCols; j++) values[row * width + j] = data[row * nCols + j]! * scale;
  }
  return { n, width, values, cosine };
}

/**
 * Squared distance of two rows; four sums at a time, so that additions need not wait for each other.
 *
 * @param points Result of {@linkcode pointsOf}
 * @param a Row
 * @param b Row
 * @returns |a - b|²
 */
export function squaredDistance({ values, width }: Points, a: number, b: number): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  const end = (a + 1) * width;
  for (let i = a * width, j = b * width; i < end; i += 4, j += 4) {
    const d0 = values[i]! - values[j]!, d1 = values[i + 1]! - values[j + 1]!;
    const d2 = values[i + 2]! - values[j + 2]!, d3 = values[i + 3]! - values[j + 3]!;
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  return (s0 + s1) + (s2 + s3);
}

/**
 * The k nearest rows of each row by comparing all in float64, in the order of rows. For points whose lengths differ by orders of magnitude,
 * where float32 scores would prove nothing.
 *
 * @param points Result of {@linkcode pointsOf}
 * @param k Neighbours, the row itself included
 * @param turn Lets waiting events through
 * @returns k and rows [n, k]; the lower row among equals
 */
export async function nearestRows(
  points: Points,
  k: number,
  turn: () => Promise<void>,
): Promise<{ readonly k: number; readonly indices: Uint32Array<ArrayBuffer> }> {
  const { n } = points;
  const indices = new Uint32Array(n * k);
  const squares = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    for (let other = 0; other < n; other++) squares[other] = squaredDistance(points, row, other);
    const farthest = squares.slice().sort()[k - 1]!;
    let equals = k - squares.reduce((nearer, square) => nearer + Number(square < farthest), 0);
    let at = row * k;
    for (let other = 0; other < n; other++) {
      if (squares[other]! > farthest || (squares[other] === farthest && equals-- <= 0)) continue;
      indices[at++] = other;
    }
    await turn();
  }
  return { k, indices };
}
