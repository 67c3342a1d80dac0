/** Values of some cells and genes of a SOMA sparse array, as a matrix that is read by ranges of rows. */
import { type CsrRows, type Matrix, matrixOf, type RowRange, sliceRows } from "../matrix.ts";
import { canonicalRows } from "../rows_check.ts";
import type { SomaSparseNDArray, SomaTable } from "../soma/mod.ts";

/** Cells that the Census stores together: windows end where they do, so that no tile is unpacked twice. */
export const BLOCK = 2048;

/** Which part of an array. */
export interface CellMatrixOptions {
  /** Ids of the cells in the order of the rows, each once. */
  readonly obs: Float64Array;
  /** Ids of the genes in the order of the columns, each once; all of the array unless given. */
  readonly var?: Float64Array | undefined;
}

/** A matrix of some cells and genes of an array, which reads when it is asked for. */
export function cellMatrix(array: SomaSparseNDArray, options: CellMatrixOptions): Matrix {
  const { obs } = options;
  const genes = new Genes(options.var, array.shape[1]!);
  const type = array.schema.at(-1)!.type;
  return matrixOf({
    shape: [obs.length, genes.count],
    format: "csr",
    dtype: type,
    async *pieces(range: RowRange) {
      let pending: CsrRows | undefined;
      for (const [from, to] of windows(obs, range)) {
        const rows = await readWindow(array, { obs, genes, from, to, signal: range.signal });
        const piece = pending === undefined ? rows : appendRows(pending, rows);
        const whole = to === range.end
          ? piece.nRows
          : Math.floor(piece.nRows / range.multiple) * range.multiple;
        if (whole > 0) yield whole === piece.nRows ? piece : sliceRows(piece, 0, whole);
        pending = whole === piece.nRows ? undefined : sliceRows(piece, whole, piece.nRows);
      }
    },
  });
}

/** Columns of genes by their ids. */
class Genes {
  /** Number of columns. */
  readonly count: number;
  /** Ids to select; undefined for all. */
  readonly ids: Float64Array | undefined;
  readonly #columns: Int32Array | undefined;

  constructor(ids: Float64Array | undefined, all: number) {
    this.ids = ids;
    this.count = ids?.length ?? all;
    if (ids === undefined) return;
    this.#columns = new Int32Array(all).fill(-1);
    ids.forEach((id, column) => this.#columns![id] = column);
  }

  /** Column of a gene. */
  column(id: number): number {
    return this.#columns === undefined ? id : this.#columns[id]!;
  }
}

/** Windows of rows whose cells are stored together. */
function* windows(obs: Float64Array, { start, end }: RowRange): Generator<[number, number]> {
  for (let from = start; from < end;) {
    const block = Math.floor(obs[from]! / BLOCK);
    let to = from + 1;
    while (to < end && to - from < BLOCK && Math.floor(obs[to]! / BLOCK) === block) to++;
    // Cells in no order are read by windows of any blocks.
    if (to - from < BLOCK / 8) to = Math.min(end, from + BLOCK);
    yield [from, to];
    from = to;
  }
}

/** What a window reads. */
interface Window {
  readonly obs: Float64Array;
  readonly genes: Genes;
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads the rows of a window. */
async function readWindow(array: SomaSparseNDArray, window: Window): Promise<CsrRows> {
  const { obs, genes, from, to, signal } = window;
  const ids = obs.subarray(from, to);
  const rowOf = new Map<number, number>();
  ids.forEach((id, row) => rowOf.set(id, row));
  const tables: SomaTable[] = [];
  const coords = [ids, genes.ids];
  for await (const table of array.read({ coords, ...signal && { signal } })) tables.push(table);
  const piece = compress(tables, rowOf, { genes, nRows: ids.length });
  return canonicalRows({ ...piece, start: from }, { file: array.path || "SOMA", key: "X" });
}

/** Coordinates and values as compressed rows: a first pass counts, a second one places. */
function compress(
  tables: readonly SomaTable[],
  rowOf: ReadonlyMap<number, number>,
  { genes, nRows }: { readonly genes: Genes; readonly nRows: number },
): Omit<CsrRows, "start"> {
  const parts = tables.map((table) => ({
    cells: table.column("soma_dim_0", "numeric").data as Float64Array,
    genes: table.column("soma_dim_1", "numeric").data as Float64Array,
    values: table.column("soma_data", "numeric").data,
  }));
  const indptr = new Uint32Array(nRows + 1);
  for (const { cells } of parts) {
    eachRow(cells, rowOf, (row, count) => indptr[row + 1]! += count);
  }
  for (let row = 0; row < nRows; row++) indptr[row + 1]! += indptr[row]!;
  const total = indptr[nRows]!;
  const indices = new Uint32Array(total);
  const double = parts.some(({ values }) =>
    !(values instanceof Float32Array) && values.BYTES_PER_ELEMENT > 2
  );
  const data = double ? new Float64Array(total) : new Float32Array(total);
  const next = indptr.slice(0, nRows);
  for (const part of parts) {
    let at = 0;
    eachRow(part.cells, rowOf, (row, count) => {
      let to = next[row]!;
      next[row]! += count;
      for (const end = at + count; at < end; at++, to++) {
        indices[to] = genes.column(part.genes[at]!);
        data[to] = Number(part.values[at]!);
      }
    });
  }
  return { nRows, nCols: genes.count, indptr, indices, data };
}

/** Calls for each run of equal cells: entries of a row mostly follow each other. */
function eachRow(
  cells: Float64Array,
  rowOf: ReadonlyMap<number, number>,
  call: (row: number, count: number) => void,
): void {
  for (let from = 0; from < cells.length;) {
    const cell = cells[from]!;
    let to = from + 1;
    while (to < cells.length && cells[to] === cell) to++;
    call(rowOf.get(cell)!, to - from);
    from = to;
  }
}

/** Rows, and others below them. */
export function appendRows(a: CsrRows, b: CsrRows): CsrRows {
  const indptr = new Uint32Array(a.nRows + b.nRows + 1);
  const base = a.indptr[a.nRows]!;
  indptr.set(a.indptr);
  for (let row = 0; row <= b.nRows; row++) indptr[a.nRows + row] = base + b.indptr[row]!;
  const indices = new Uint32Array(indptr.at(-1)!);
  indices.set(a.indices);
  indices.set(b.indices, base);
  const data = a.data instanceof Float64Array || b.data instanceof Float64Array
    ? new Float64Array(indices.length)
    : new Float32Array(indices.length);
  data.set(a.data);
  data.set(b.data, base);
  return { start: a.start, nRows: a.nRows + b.nRows, nCols: a.nCols, indptr, indices, data };
}
