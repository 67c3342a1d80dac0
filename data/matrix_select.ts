/** Views of matrices: some rows in any order, some columns in any order. */
import { type CsrRows, type Matrix, matrixOf, type RowRange } from "./matrix.ts";
import { fitsFloat32, type FloatArray } from "./numbers.ts";

/** Rows gathered at a time where the caller does not say. */
const GATHER_ROWS = 1024;

/** Rows that may lie unused between two wanted ones before they are read separately. */
const GAP_ROWS = 16;

/** Runs of rows that are read together, from ascending rows. */
function* runsOf(sorted: readonly number[]): Generator<{ start: number; end: number }> {
  let start = sorted[0];
  let last = start;
  for (const row of sorted) {
    if (row - last! > GAP_ROWS) {
      yield { start: start!, end: last! + 1 };
      start = row;
    }
    last = row;
  }
  if (start !== undefined) yield { start, end: last! + 1 };
}

/** One row's entries. */
interface Row {
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly data: FloatArray;
}

/** Reads the given rows of a matrix, each once. */
async function gather(
  base: Matrix,
  wanted: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Map<number, Row>> {
  const sorted = [...new Set(wanted)].sort((a, b) => a - b);
  const keep = new Set(sorted);
  const rows = new Map<number, Row>();
  for (const run of runsOf(sorted)) {
    for await (const piece of base.rows(signal === undefined ? run : { ...run, signal })) {
      for (let r = 0; r < piece.nRows; r++) {
        if (!keep.has(piece.start + r)) continue;
        const [from, to] = [piece.indptr[r]!, piece.indptr[r + 1]!];
        rows.set(piece.start + r, {
          indices: piece.indices.slice(from, to),
          data: piece.data.slice(from, to),
        });
      }
    }
  }
  return rows;
}

/** New place of each old column, -1 where it is left out. */
function columnMap(columns: ArrayLike<number>, nCols: number): Int32Array {
  const map = new Int32Array(nCols).fill(-1);
  for (let k = 0; k < columns.length; k++) map[columns[k]!] = k;
  return map;
}

/** The entries of a row that lie in the chosen columns, ascending by new column. */
function pickColumns(row: Row, map: Int32Array): Row {
  const indices = new Uint32Array(row.indices.length);
  const data = row.data.slice();
  let length = 0, ascending = true;
  for (let k = 0; k < row.indices.length; k++) {
    const column = map[row.indices[k]!]!;
    if (column < 0) continue;
    ascending &&= length === 0 || column > indices[length - 1]!;
    indices[length] = column;
    data[length++] = row.data[k]!;
  }
  const picked = { indices: indices.slice(0, length), data: data.slice(0, length) };
  return ascending ? picked : sorted(picked);
}

/** The entries of a row by ascending column. */
function sorted({ indices, data }: Row): Row {
  const order = [...indices.keys()].sort((a, b) => indices[a]! - indices[b]!);
  return {
    indices: Uint32Array.from(order, (k) => indices[k]!),
    data: data.map((_, k) => data[order[k]!]!),
  };
}

/** One piece out of rows in their order. */
function joinRows(
  rows: readonly Row[],
  start: number,
  base: { nCols: number; dtype: string },
): CsrRows {
  const indptr = new Uint32Array(rows.length + 1);
  rows.forEach((row, r) => indptr[r + 1] = indptr[r]! + row.indices.length);
  const length = indptr[rows.length]!;
  const indices = new Uint32Array(length);
  const data = fitsFloat32(base.dtype) ? new Float32Array(length) : new Float64Array(length);
  rows.forEach((row, r) => {
    indices.set(row.indices, indptr[r]!);
    data.set(row.data, indptr[r]!);
  });
  return { start, nRows: rows.length, nCols: base.nCols, indptr, indices, data };
}

/** Which rows and columns a view shows; all where one is absent. */
export interface Selection {
  /** Rows in the view's order; a row may repeat. */
  readonly rows?: ArrayLike<number>;
  /** Columns in the view's order; none may repeat. */
  readonly columns?: ArrayLike<number>;
}

/** A view of a matrix that is read when it is asked for; costs least where chosen rows lie close together. */
export function selectMatrix(base: Matrix, selection: Selection): Matrix {
  const { rows, columns } = selection;
  if (rows === undefined && columns === undefined) return base;
  const map = columns === undefined ? undefined : columnMap(columns, base.shape[1]);
  const nCols = columns?.length ?? base.shape[1];
  return matrixOf({
    shape: [rows?.length ?? base.shape[0], nCols],
    format: base.format === "dense" ? "dense" : "csr",
    dtype: base.dtype,
    async *pieces(range: RowRange) {
      const step = Math.ceil(GATHER_ROWS / range.multiple) * range.multiple;
      for (let start = range.start; start < range.end; start += step) {
        const count = Math.min(step, range.end - start);
        const wanted = Array.from({ length: count }, (_, k) => rows?.[start + k] ?? start + k);
        const found = await gather(base, wanted, range.signal);
        const picked = wanted.map((row) => found.get(row)!)
          .map((row) => map === undefined ? row : pickColumns(row, map));
        yield joinRows(picked, start, { nCols, dtype: base.dtype });
      }
    },
  });
}
