/** Rows of matrices that are stored by column. */
import type { CsrRows, RowRange } from "./matrix.ts";
import { sliceRows } from "./matrix.ts";
import { FormatError } from "./errors.ts";
import { fitsFloat32, type FloatArray, toFloats, toIndices } from "./numbers.ts";
import { canonicalRows } from "./rows_check.ts";
import { numberName, readBounds, readNumbers, type SparseArrays } from "./stored_arrays.ts";

/** How much of a CSC matrix is in memory at a time. */
interface Limits {
  /** Values gathered into rows: about 200 MB unless told. */
  readonly window: number;
  /** Stored values read by one call. */
  readonly slab: number;
}

const LIMITS: Limits = { window: 1 << 24, slab: 1 << 20 };

/** Stored values in column order. */
interface Slab {
  /** Place of the first value among all. */
  readonly offset: number;
  /** Row of each value. */
  readonly rows: Uint32Array;
  /** The values; absent where only rows were asked for. */
  readonly values: FloatArray | undefined;
}

/** What every pass over the stored entries needs. */
interface Pass {
  /** Number of entries. */
  readonly count: number;
  /** Rows of the matrix. */
  readonly nRows: number;
  /** Entries read by one call. */
  readonly slab: number;
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
}

/** Streams the stored entries in column order. */
async function* slabs(
  arrays: SparseArrays,
  options: Pass & { values: boolean },
): AsyncGenerator<Slab> {
  for (let offset = 0; offset < options.count; offset += options.slab) {
    options.signal?.throwIfAborted();
    const range = [offset, Math.min(offset + options.slab, options.count)] as const;
    const rows = toIndices(await readNumbers(arrays.indices, [range], { shared: true }));
    const bad = rows.findIndex((row) => row >= options.nRows);
    if (bad !== -1) {
      throw new FormatError(
        "value",
        `Cannot read entry ${offset + bad} as rows must be below ${options.nRows}: got ${
          rows[bad]
        }`,
        arrays.indices,
      );
    }
    const values = options.values
      ? toFloats(await readNumbers(arrays.data, [range], { shared: true }), arrays.data)
      : undefined;
    yield { offset, rows, values };
  }
}

/** Number of stored values of each row. */
async function countRows(arrays: SparseArrays, pass: Pass): Promise<Uint32Array> {
  const counts = new Uint32Array(pass.nRows);
  for await (const slab of slabs(arrays, { ...pass, values: false })) {
    for (const row of slab.rows) counts[row]!++;
  }
  return counts;
}

/** Puts the entries of a slab that fall into a window where they belong; returns the column reached. */
function fillWindow(
  window: CsrRows,
  next: Uint32Array,
  slab: Slab & { bounds: Float64Array; column: number },
): number {
  let column = slab.column;
  for (let k = 0; k < slab.rows.length; k++) {
    while (slab.bounds[column + 1]! <= slab.offset + k) column++;
    const row = slab.rows[k]! - window.start;
    if (row < 0 || row >= window.nRows) continue;
    const at = next[row]!++;
    window.indices[at] = column;
    window.data[at] = slab.values![k]!;
  }
  return column;
}

/** Reads rows `start .. end` by one pass over the whole matrix. */
async function readWindow(
  arrays: SparseArrays,
  counts: Uint32Array,
  options: { start: number; end: number; bounds: Float64Array; pass: Pass },
): Promise<CsrRows> {
  const { start, end, bounds, pass } = options;
  const indptr = new Uint32Array(end - start + 1);
  for (let row = start; row < end; row++) {
    indptr[row - start + 1] = indptr[row - start]! + counts[row]!;
  }
  const length = indptr.at(-1)!;
  const window: CsrRows = {
    start,
    nRows: end - start,
    nCols: bounds.length - 1,
    indptr,
    indices: new Uint32Array(length),
    data: fitsFloat32(numberName(arrays.data.dtype, arrays.data))
      ? new Float32Array(length)
      : new Float64Array(length),
  };
  const next = indptr.slice(0, -1);
  let column = 0;
  for await (const slab of slabs(arrays, { ...pass, values: true })) {
    column = fillWindow(window, next, { ...slab, bounds, column });
  }
  return canonicalRows(window, arrays.indices);
}

/** Where a window that starts at `start` ends. */
function windowEnd(
  counts: Uint32Array,
  start: number,
  range: RowRange & { window: number },
): number {
  let end = start;
  let values = 0;
  while (end < range.end) {
    const next = Math.min(end + range.multiple, range.end);
    for (let row = end; row < next; row++) values += counts[row]!;
    if (end > start && values > range.window) break;
    end = next;
  }
  return end;
}

/**
 * Streams rows of a CSC matrix. Memory is bounded by windows of some rows each; the price is one pass over the file to
 * count the values of each row and one pass a window. A matrix that fits one window is kept.
 *
 * @param arrays The stored arrays.
 * @param shape Rows and columns.
 * @param limits How much is in memory at a time.
 */
export function cscPieces(
  arrays: SparseArrays,
  shape: readonly [number, number],
  limits: Limits = LIMITS,
): (range: RowRange) => AsyncGenerator<CsrRows> {
  let counts: Uint32Array | undefined;
  let whole: CsrRows | undefined;
  return async function* (range) {
    const bounds = await readBounds(arrays, shape[1] + 1);
    const count = bounds.at(-1)!;
    const pass = { count, nRows: shape[0], slab: limits.slab, signal: range.signal };
    counts ??= await countRows(arrays, pass);
    if (count <= limits.window) {
      whole ??= await readWindow(arrays, counts, { start: 0, end: shape[0], bounds, pass });
      if (range.end > range.start) yield sliceRows(whole, range.start, range.end);
      return;
    }
    for (let start = range.start; start < range.end;) {
      const end = windowEnd(counts, start, { ...range, window: limits.window });
      yield await readWindow(arrays, counts, { start, end, bounds, pass });
      start = end;
    }
  };
}
