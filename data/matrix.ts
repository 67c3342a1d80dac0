/** Matrices that are read by ranges of rows, whatever they are stored as. */
import { checkOptions } from "./checks.ts";
import type { StorageNode } from "./storage.ts";

/** Consecutive rows of a matrix in compressed sparse row form; the arrays must not be changed. */
export interface CsrRows {
  /** Row of the matrix that row 0 of this piece is. */
  readonly start: number;
  /** Number of rows. */
  readonly nRows: number;
  /** Number of columns of the matrix. */
  readonly nCols: number;
  /** Bounds of the rows in `indices` and `data`: [nRows + 1], from 0. */
  readonly indptr: Uint32Array<ArrayBuffer>;
  /** Columns of the stored values, ascending within a row. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** The stored values; an explicit zero may be among them. */
  readonly data: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

/** Which rows to read and how. */
export interface RowsOptions {
  /** First row; 0 unless told. */
  readonly start?: number;
  /** One past the last row; all unless told. */
  readonly end?: number;
  /** Rows a piece (the last may be shorter); as many as make about a million values unless told. */
  readonly batch?: number;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** Which rows to read into one array. */
export interface DenseOptions<D extends "float32" | "float64" = "float32" | "float64"> {
  /** First row; 0 unless told. */
  readonly start?: number;
  /** One past the last row; all unless told. */
  readonly end?: number;
  /** Element type of the result: float32 rounds stored float64; float64 holds every value. */
  readonly dtype?: D;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** A matrix of cells x columns that is read by ranges of rows with bounded memory. */
export interface Matrix {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** How the values are stored. */
  readonly format: "csr" | "csc" | "dense";
  /** Stored element type as numpy names it: "float32", "int64", "bool". */
  readonly dtype: string;
  /** Streams consecutive rows; `break` stops the reading. NaN and infinities are passed on. */
  rows(options?: RowsOptions): AsyncIterable<CsrRows>;
  /** Reads rows into one row-major array [rows * columns]: meant for small matrices such as embeddings. */
  dense(options?: DenseOptions<"float32">): Promise<Float32Array<ArrayBuffer>>;
  /** The same with every digit of stored float64. */
  dense(options: DenseOptions<"float64">): Promise<Float64Array<ArrayBuffer>>;
}

/** Half-open range of rows that a reader must deliver. */
export interface RowRange {
  /** First row. */
  readonly start: number;
  /** One past the last row. */
  readonly end: number;
  /** Pieces hold a multiple of so many rows, except the last. */
  readonly multiple: number;
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
}

/** What a kind of storage supplies; {@linkcode matrixOf} makes the matrix of it. */
export interface RowReader {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** How the values are stored. */
  readonly format: Matrix["format"];
  /** Stored element type. */
  readonly dtype: string;
  /** The node that holds exactly this matrix, for copying it. */
  readonly origin?: StorageNode;
  /** Streams the range in pieces of bounded size. */
  pieces(range: RowRange): AsyncIterable<CsrRows>;
}

const origins = new WeakMap<Matrix, StorageNode>();

/** The stored node that holds exactly this matrix, if there is one. */
export function originOf(matrix: Matrix): StorageNode | undefined {
  return origins.get(matrix);
}

/** Whether a value is a {@linkcode Matrix}. */
export function isMatrix(value: unknown): value is Matrix {
  return typeof value === "object" && value !== null && "rows" in value && "shape" in value &&
    "format" in value;
}

/** Refuses a range of rows that a matrix does not have. */
function checkRowRange(shape: Matrix["shape"], options: RowsOptions): RowRange {
  const { start = 0, end = shape[0], batch, signal } = options;
  if (
    !Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > shape[0]
  ) {
    throw new RangeError(
      `Cannot read rows as 0 <= start <= end <= ${shape[0]} must hold: got ${start} .. ${end}`,
    );
  }
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1)) {
    throw new RangeError(`Cannot read rows as batch must be an integer >= 1: got ${batch}`);
  }
  return { start, end, multiple: batch ?? 1, signal };
}

/** Rows `from .. to` of a piece, sharing its memory. */
export function sliceRows(piece: CsrRows, from: number, to: number): CsrRows {
  const first = piece.indptr[from]!;
  const last = piece.indptr[to]!;
  return {
    start: piece.start + from,
    nRows: to - from,
    nCols: piece.nCols,
    indptr: piece.indptr.slice(from, to + 1).map((bound) => bound - first),
    indices: piece.indices.subarray(first, last),
    data: piece.data.subarray(first, last),
  };
}

/** Zeros of a length that may be too large. */
function zeros(length: number, dtype: "float32" | "float64"): Float32Array | Float64Array {
  const Values = dtype === "float64" ? Float64Array : Float32Array;
  try {
    return new Values(length);
  } catch (cause) {
    const reason = `Cannot read a dense array as there is no memory for ${length} values`;
    throw new RangeError(reason, { cause });
  }
}

/** A matrix over a reader. */
export function matrixOf(reader: RowReader): Matrix {
  async function* rows(options: RowsOptions = {}): AsyncGenerator<CsrRows> {
    checkOptions("read rows", options, ["start", "end", "batch", "signal"]);
    const range = checkRowRange(reader.shape, options);
    range.signal?.throwIfAborted();
    for await (const piece of reader.pieces(range)) {
      const step = options.batch ?? piece.nRows;
      for (let row = 0; row < piece.nRows; row += step) {
        range.signal?.throwIfAborted();
        yield step >= piece.nRows
          ? piece
          : sliceRows(piece, row, Math.min(row + step, piece.nRows));
      }
    }
  }

  async function dense(options: DenseOptions = {}): Promise<never> {
    const { dtype = "float32", start = 0, end = reader.shape[0], ...rest } = options;
    checkOptions("read a dense array", rest, ["signal"]);
    checkRowRange(reader.shape, { start, end });
    const values = zeros((end - start) * reader.shape[1], dtype);
    for await (const piece of rows({ start, end, ...rest })) {
      scatter(piece, values, piece.start - start);
    }
    return values as never;
  }

  const { shape, format, dtype, origin } = reader;
  const matrix: Matrix = { shape, format, dtype, rows, dense };
  if (origin !== undefined) origins.set(matrix, origin);
  return matrix;
}

/** Writes the values of a piece into row-major `target`, its first row at row `at`. */
export function scatter(piece: CsrRows, target: Float32Array | Float64Array, at = 0): void {
  for (let row = 0; row < piece.nRows; row++) {
    const base = (at + row) * piece.nCols;
    for (let k = piece.indptr[row]!; k < piece.indptr[row + 1]!; k++) {
      target[base + piece.indices[k]!] = piece.data[k]!;
    }
  }
}
