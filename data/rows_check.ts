/** The checks that make stored sparse rows trustworthy. */
import { FormatError, type FormatErrorOptions } from "./errors.ts";
import type { CsrRows } from "./matrix.ts";
import type { FloatArray } from "./numbers.ts";

/**
 * Sorts the entries of one row by column; returns how many are left after equal columns are added up.
 * `sums` has a place for each column; what it holds does not matter.
 */
function sortRow(indices: Uint32Array, data: FloatArray, sums: Float64Array): number {
  for (const column of indices) sums[column] = 0;
  indices.forEach((column, k) => sums[column]! += data[k]!);
  indices.sort();
  let length = 0;
  for (const column of indices) {
    if (length > 0 && indices[length - 1] === column) continue;
    data[length] = sums[column]!;
    indices[length++] = column;
  }
  return length;
}

/** Whether columns ascend; those above 2^31 count as negative, and so as falling. */
function isAscending(columns: Int32Array, from: number, to: number): boolean {
  let last = -1;
  let k = from;
  // Four at a time take half the time.
  for (; k + 3 < to; k += 4) {
    const a = columns[k]!;
    const b = columns[k + 1]!;
    const c = columns[k + 2]!;
    const d = columns[k + 3]!;
    if (a <= last || b <= a || c <= b || d <= c) return false;
    last = d;
  }
  for (; k < to; k++) {
    if (columns[k]! <= last) return false;
    last = columns[k]!;
  }
  return true;
}

/** Where a row first breaks the rules: an entry out of order, an entry out of range, or neither. */
function scanRow(piece: CsrRows, signed: Int32Array, row: number): "sorted" | "unsorted" | number {
  const [from, to] = [piece.indptr[row]!, piece.indptr[row + 1]!];
  const sorted = isAscending(signed, from, to);
  if (sorted && (from === to || piece.indices[to - 1]! < piece.nCols)) return "sorted";
  for (let k = from; k < to; k++) if (piece.indices[k]! >= piece.nCols) return k;
  return "unsorted";
}

/**
 * Rows whose columns are in range, ascending and unique: unsorted rows are sorted and entries of one place are added
 * up, which is what scipy means by them.
 *
 * @throws {FormatError} "value" where a column is beyond the matrix.
 */
export function canonicalRows(piece: CsrRows, place: FormatErrorOptions): CsrRows {
  const unsorted: number[] = [];
  const { buffer, byteOffset, length } = piece.indices;
  const signed = new Int32Array(buffer, byteOffset, length);
  for (let row = 0; row < piece.nRows; row++) {
    const found = scanRow(piece, signed, row);
    if (typeof found === "number") {
      throw new FormatError(
        "value",
        `Cannot read row ${piece.start + row} as columns must be below ${piece.nCols}: got ${
          piece.indices[found]
        }`,
        place,
      );
    }
    if (found === "unsorted") unsorted.push(row);
  }
  return unsorted.length === 0 ? piece : rebuildRows(piece, new Set(unsorted));
}

/** The piece with the given rows sorted. */
function rebuildRows(piece: CsrRows, unsorted: ReadonlySet<number>): CsrRows {
  const indices = piece.indices.slice();
  const data = piece.data.slice();
  const indptr = new Uint32Array(piece.nRows + 1);
  const sums = new Float64Array(piece.nCols);
  let end = 0;
  for (let row = 0; row < piece.nRows; row++) {
    const from = piece.indptr[row]!;
    const to = piece.indptr[row + 1]!;
    const length = unsorted.has(row)
      ? sortRow(indices.subarray(from, to), data.subarray(from, to), sums)
      : to - from;
    indices.copyWithin(end, from, from + length);
    data.copyWithin(end, from, from + length);
    end += length;
    indptr[row + 1] = end;
  }
  return { ...piece, indptr, indices: indices.subarray(0, end), data: data.subarray(0, end) };
}
