/**
 * Matrices of cells x genes out of Matrix Market files of genes x cells. Where the values fit the memory that the caller allows
 * they are read once and kept; else the file is read again for each range of cells that fits.
 */
import { type CsrRows, type Matrix, matrixOf, type RowRange, sliceRows } from "../matrix.ts";
import type { FloatArray } from "../numbers.ts";
import { canonicalRows } from "../rows_check.ts";
import { type Entries, entriesOf, type MatrixMarketHeader } from "./matrix_market.ts";
import type { TextFile } from "./text_source.ts";

/** Values that one piece holds, unless one row or batch has more. */
const PIECE_VALUES = 1 << 20;

/** The fewest bytes of an entry and its newline. */
const ENTRY_BYTES = 4;

/** How a matrix is held. */
export interface CoordinateOptions {
  /** Element type of the values. */
  readonly dtype: "float32" | "float64";
  /** Bytes that its values may take. */
  readonly memory: number;
}

/** Consecutive cells, and how many entries stand before each: from 0. */
interface Window {
  readonly start: number;
  readonly end: number;
  readonly indptr: Uint32Array<ArrayBuffer>;
}

/** What one pass over a file found. */
interface Index {
  /** Entries before each cell, as the file has them. */
  readonly bounds: Float64Array;
  /** Whether the entries come by ascending cell. */
  readonly sorted: boolean;
  /** All rows, where they were kept. */
  readonly kept: CsrRows | undefined;
}

/** A file of genes x cells and how it is read. */
export class CoordinateFile {
  readonly #valueBytes: number;
  readonly #most: number;
  #index: Promise<Index> | undefined;

  constructor(
    readonly file: TextFile,
    readonly header: MatrixMarketHeader,
    readonly options: CoordinateOptions,
  ) {
    this.#valueBytes = options.dtype === "float32" ? 8 : 12;
    this.#most = Math.max(1, Math.floor(options.memory / this.#valueBytes));
  }

  /** The matrix of cells x genes; nothing is read before its rows are asked for. */
  matrix(): Matrix {
    return matrixOf({
      shape: [this.header.columns, this.header.rows],
      format: "csr",
      dtype: this.options.dtype,
      pieces: (range) => this.#pieces(range),
    });
  }

  async *#pieces(range: RowRange): AsyncGenerator<CsrRows> {
    const { bounds, sorted, kept } = await this.#known(range.signal);
    const limit = kept !== undefined || sorted ? PIECE_VALUES : this.#most;
    const windows = windowsOf(bounds, range, limit);
    if (kept !== undefined) {
      for (const { start, end } of windows) yield sliceRows(kept, start, end);
    } else if (sorted) {
      yield* this.#inOrder(windows, range.signal);
    } else {
      for (const window of windows) yield await this.#gather(window, range.signal);
    }
  }

  /** The index; a failure is not kept. */
  async #known(signal: AbortSignal | undefined): Promise<Index> {
    this.#index ??= this.#read(signal);
    try {
      return await this.#index;
    } catch (error) {
      this.#index = undefined;
      throw error;
    }
  }

  /** Entries that the file can have, whatever its header promises. */
  #possible(): number {
    return Math.min(this.header.entries, Math.ceil(this.file.mostBytes / ENTRY_BYTES));
  }

  #entries(signal: AbortSignal | undefined): AsyncGenerator<Entries> {
    const fitFloat32 = this.options.dtype === "float32";
    return entriesOf(this.file, this.header, { fitFloat32, signal });
  }

  /** Counts the entries of each cell, and keeps them where they fit and are in order. */
  async #read(signal: AbortSignal | undefined): Promise<Index> {
    const { columns: cells } = this.header;
    const bounds = new Float64Array(cells + 1);
    const possible = this.#possible();
    const fits = possible <= this.#most;
    const rows = this.#rows(fits ? possible : 0);
    let sorted = true, last = 0, at = 0;
    for await (const { count, rows: genes, columns, values } of this.#entries(signal)) {
      for (let k = 0; k < count; k++) {
        const cell = columns[k]!;
        bounds[cell + 1]!++;
        if (cell < last) sorted = false;
        last = cell;
        if (!fits || !sorted) continue;
        rows.indices[at] = genes[k]!;
        rows.data[at++] = values[k]!;
      }
    }
    for (let cell = 0; cell < cells; cell++) bounds[cell + 1]! += bounds[cell]!;
    if (!fits) return { bounds, sorted, kept: undefined };
    const window = { start: 0, end: cells, indptr: Uint32Array.from(bounds) };
    const kept = sorted ? this.#piece(window, rows) : await this.#gather(window, signal);
    return { bounds: Float64Array.from(kept.indptr), sorted, kept };
  }

  /** Reads the file for the cells of one window, in whatever order they come. */
  async #gather(window: Window, signal: AbortSignal | undefined): Promise<CsrRows> {
    const { start, end, indptr } = window;
    const next = indptr.slice();
    const rows = this.#rows(indptr.at(-1)!);
    for await (const { count, rows: genes, columns, values } of this.#entries(signal)) {
      for (let k = 0; k < count; k++) {
        const cell = columns[k]!;
        if (cell < start || cell >= end) continue;
        const at = next[cell - start]!++;
        rows.indices[at] = genes[k]!;
        rows.data[at] = values[k]!;
      }
    }
    return this.#piece(window, rows);
  }

  /** Reads windows that follow each other in one pass over a file whose cells are in order. */
  async *#inOrder(
    windows: readonly Window[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<CsrRows> {
    if (windows.length === 0) return;
    let turn = 0, at = 0;
    let rows = this.#rows(windows[0]?.indptr.at(-1) ?? 0);
    for await (const { count, rows: genes, columns, values } of this.#entries(signal)) {
      for (let k = 0; k < count && turn < windows.length; k++) {
        const cell = columns[k]!;
        if (cell < windows[0]!.start) continue;
        while (turn < windows.length && cell >= windows[turn]!.end) {
          yield this.#piece(windows[turn++]!, rows);
          rows = this.#rows(windows[turn]?.indptr.at(-1) ?? 0);
          at = 0;
        }
        rows.indices[at] = genes[k]!;
        rows.data[at++] = values[k]!;
      }
      if (turn === windows.length) return;
    }
    for (; turn < windows.length; turn++) {
      yield this.#piece(windows[turn]!, rows);
      rows = this.#rows(windows[turn + 1]?.indptr.at(-1) ?? 0);
    }
  }

  #rows(count: number): { indices: Uint32Array<ArrayBuffer>; data: FloatArray } {
    const data = this.options.dtype === "float32"
      ? new Float32Array(count)
      : new Float64Array(count);
    return { indices: new Uint32Array(count), data };
  }

  /** Rows of a window with their genes ascending; entries of one place are added up, as scipy does. */
  #piece(
    { start, end, indptr }: Window,
    rows: { indices: Uint32Array<ArrayBuffer>; data: FloatArray },
  ): CsrRows {
    const piece = { start, nRows: end - start, nCols: this.header.rows, indptr, ...rows };
    return canonicalRows(piece, { file: this.file.name, key: "X" });
  }
}

/** Ranges of whole multiples of rows with at most `limit` entries each, unless one multiple has more. */
function windowsOf(bounds: Float64Array, range: RowRange, limit: number): Window[] {
  const windows: Window[] = [];
  for (let start = range.start; start < range.end;) {
    let end = Math.min(start + range.multiple, range.end);
    while (end < range.end) {
      const next = Math.min(end + range.multiple, range.end);
      if (bounds[next]! - bounds[start]! > limit) break;
      end = next;
    }
    const first = bounds[start]!;
    const indptr = Uint32Array.from(bounds.subarray(start, end + 1), (bound) => bound - first);
    windows.push({ start, end, indptr });
    start = end;
  }
  return windows;
}
