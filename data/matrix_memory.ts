/** Matrices over arrays in memory. */
import { checkOptions } from "./checks.ts";
import { type CsrRows, type Matrix, matrixOf, type RowRange, sliceRows } from "./matrix.ts";
import { canonicalRows } from "./rows_check.ts";
import type { FloatArray } from "./numbers.ts";

/** Values that one piece of a dense matrix holds before zeros are dropped. */
const PIECE_VALUES = 1 << 20;

/** Values that one piece holds where chunks are large, so that few of them are decompressed twice. */
const MOST_VALUES = 1 << 24;

/** The arrays of a sparse matrix in memory. */
export interface CsrParts {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** Bounds of the rows: [rows + 1], from 0. */
  readonly indptr: Uint32Array<ArrayBuffer>;
  /** Columns of the values. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** The values. */
  readonly data: FloatArray;
}

/** Refuses bounds that do not fit the arrays. */
function checkIndptr({ shape, indptr, indices, data }: CsrParts): void {
  const bounds = [shape[0] + 1, indices.length];
  if (indptr.length !== bounds[0] || indptr[0] !== 0 || indptr.at(-1) !== bounds[1]) {
    throw new RangeError(
      `Cannot make a CSR matrix as indptr must be ${bounds[0]} bounds from 0 to ${bounds[1]}: ` +
        `got ${indptr.length} from ${indptr[0]} to ${indptr.at(-1)}`,
    );
  }
  const fall = indptr.findIndex((bound, row) => row > 0 && bound < indptr[row - 1]!);
  if (fall !== -1) {
    throw new RangeError(`Cannot make a CSR matrix as indptr must not fall: it does at ${fall}`);
  }
  if (data.length !== indices.length) {
    throw new RangeError(
      `Cannot make a CSR matrix as data and indices must be equally long: got ${data.length} and ${indices.length}`,
    );
  }
}

/**
 * A sparse matrix over arrays in memory, which are not copied.
 *
 * @param parts Shape and arrays; columns of a row may come in any order, equal ones are added up.
 * @returns The matrix.
 * @throws {RangeError} Where the arrays do not fit each other.
 *
 * @example Two cells of three genes
 * ```ts
 * import assert from "node:assert/strict";
 * import { csrMatrix } from "@scgpt/sdk/data";
 *
 * const X = csrMatrix({
 *   shape: [2, 3],
 *   indptr: Uint32Array.of(0, 1, 3),
 *   indices: Uint32Array.of(2, 0, 1),
 *   data: Float32Array.of(5, 1, 2),
 * });
 * assert.deepEqual([...await X.dense()], [0, 0, 5, 1, 2, 0]);
 * ```
 */
export function csrMatrix(parts: CsrParts): Matrix {
  checkOptions("make a CSR matrix", parts, ["shape", "indptr", "indices", "data"]);
  checkIndptr(parts);
  const { shape, indptr, indices, data } = parts;
  const piece = { start: 0, nRows: shape[0], nCols: shape[1], indptr, indices, data };
  const whole = canonicalRows(piece, { file: "memory", key: "X" });
  return matrixOf({
    shape,
    format: "csr",
    dtype: data instanceof Float32Array ? "float32" : "float64",
    async *pieces({ start, end }: RowRange) {
      if (end > start) yield sliceRows(whole, start, end);
    },
  });
}

/** The place of a row-major block in its matrix. */
interface Block {
  /** Its first row. */
  readonly start: number;
  /** Number of rows. */
  readonly nRows: number;
  /** Number of columns. */
  readonly nCols: number;
}

/** The rows of a row-major block without its zeros. */
export function sparsify(values: FloatArray, { start, nRows, nCols }: Block): CsrRows {
  let count = 0;
  for (let k = 0; k < values.length; k++) if (values[k] !== 0) count++;
  const indptr = new Uint32Array(nRows + 1);
  const indices = new Uint32Array(count);
  const data = values instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  let at = 0;
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nCols; column++) {
      const value = values[row * nCols + column]!;
      if (value === 0) continue;
      indices[at] = column;
      data[at++] = value;
    }
    indptr[row + 1] = at;
  }
  return { start, nRows, nCols, indptr, indices, data };
}

/** Ranges of rows that hold about {@linkcode PIECE_VALUES} values, or four of the chunks that rows are stored in. */
export function* denseWindows(
  range: RowRange,
  nCols: number,
  chunkRows = 1,
): Generator<[number, number]> {
  const width = Math.max(1, nCols);
  const some = Math.floor(PIECE_VALUES / width);
  const chunks = Math.min(4 * chunkRows, Math.floor(MOST_VALUES / width));
  const step = Math.max(1, Math.floor(Math.max(some, chunks) / range.multiple)) * range.multiple;
  for (let start = range.start; start < range.end; start += step) {
    yield [start, Math.min(start + step, range.end)];
  }
}

/**
 * A dense matrix over a row-major array in memory, which is not copied.
 *
 * @param values Row-major values [rows * columns].
 * @param shape Rows and columns.
 * @returns The matrix.
 * @throws {RangeError} Where the array does not have rows * columns values.
 *
 * @example An embedding of two cells
 * ```ts
 * import assert from "node:assert/strict";
 * import { denseMatrix } from "@scgpt/sdk/data";
 *
 * const embedding = denseMatrix(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * assert.deepEqual([...await embedding.dense({ start: 1 })], [3, 4]);
 * ```
 */
export function denseMatrix(values: FloatArray, shape: readonly [number, number]): Matrix {
  const [nRows, nCols] = shape;
  if (values.length !== nRows * nCols) {
    throw new RangeError(
      `Cannot make a dense matrix as ${nRows} x ${nCols} = ${
        nRows * nCols
      } values are needed: got ${values.length}`,
    );
  }
  return matrixOf({
    shape,
    format: "dense",
    dtype: values instanceof Float32Array ? "float32" : "float64",
    async *pieces(range: RowRange) {
      for (const [start, end] of denseWindows(range, nCols)) {
        const block = values.subarray(start * nCols, end * nCols);
        yield sparsify(block, { start, nRows: end - start, nCols });
      }
    },
  });
}
