/** Rows of numbers that the analyses read: sparse expression values and dense embeddings, and the sums over them. */

/** Compressed sparse rows; what `data` yields as `CsrRows` fits as it is. */
export interface SparseRows {
  /** Cells. */
  readonly nRows: number;
  /** Genes. */
  readonly nCols: number;
  /** First stored value of each row, and the end: [nRows+1], starting at 0. */
  readonly indptr: Uint32Array;
  /** Column of each stored value. */
  readonly indices: Uint32Array;
  /** Stored values. */
  readonly data: Float32Array | Float64Array;
}

/** Row-major dense rows, such as cell embeddings. */
export interface DenseRows {
  /** Cells. */
  readonly nRows: number;
  /** Dimensions. */
  readonly nCols: number;
  /** Values [nRows, nCols]. */
  readonly data: Float32Array | Float64Array;
}

/** Sparse or dense rows; told apart by `indptr`. */
export type Rows = SparseRows | DenseRows;

/**
 * Checks once, at the edge, that lengths agree and columns are in range.
 *
 * @param rows Rows from a caller
 * @param act What cannot be done, such as "compute the PCA"
 * @throws {RangeError} Naming the act, the rule and the value
 */
export function checkRows(rows: Rows, act: string): void {
  if (!("indptr" in rows)) {
    const wanted = rows.nRows * rows.nCols;
    if (rows.data.length === wanted) return;
    throw new RangeError(
      `Cannot ${act} as [${rows.nRows}, ${rows.nCols}] rows need ${wanted} values: got ${rows.data.length}`,
    );
  }
  const stored = rows.indptr[rows.nRows];
  if (
    rows.indptr.length !== rows.nRows + 1 || rows.indptr[0] !== 0 ||
    stored !== rows.data.length || stored !== rows.indices.length
  ) {
    throw new RangeError(
      `Cannot ${act} as indptr must run from 0 to the number of values over ${rows.nRows} rows: got ` +
        `${rows.indptr.length} offsets ending at ${stored}, ${rows.indices.length} columns and ${rows.data.length} values`,
    );
  }
  const outside = rows.indices.findIndex((column) => column >= rows.nCols);
  if (outside >= 0) {
    throw new RangeError(
      `Cannot ${act} as columns must be below ${rows.nCols}: got ${
        rows.indices[outside]
      } at stored value ${outside}`,
    );
  }
}

/**
 * Calls `visit` for each row in turn.
 *
 * @param rows Sparse or dense rows
 * @param visit Receives the row number, the columns of its stored values, and those values (views: not to be kept or changed)
 */
export function forEachRow(
  rows: Rows,
  visit: (row: number, columns: Uint32Array, values: Float32Array | Float64Array) => void,
): void {
  const { nRows, nCols, data } = rows;
  if (!("indptr" in rows)) {
    const all = Uint32Array.from({ length: nCols }, (_, column) => column);
    for (let row = 0; row < nRows; row++) {
      visit(row, all, data.subarray(row * nCols, (row + 1) * nCols));
    }
    return;
  }
  const { indptr, indices } = rows;
  for (let row = 0; row < nRows; row++) {
    const start = indptr[row]!, end = indptr[row + 1]!;
    visit(row, indices.subarray(start, end), data.subarray(start, end));
  }
}

/** Mean and sample variance of each column. */
export interface ColumnMoments {
  /** Means [nCols]. */
  readonly mean: Float64Array;
  /** Variances with n - 1 below [nCols]; 0 for a single row. */
  readonly variance: Float64Array;
}

/**
 * Means and variances of the columns in float64 and two passes, absent values counted as zeros.
 *
 * @param rows Sparse or dense rows
 * @returns Moments of the nCols columns
 */
export function columnMoments(rows: Rows): ColumnMoments {
  const { nRows, nCols } = rows;
  const mean = new Float64Array(nCols);
  forEachRow(rows, (_, columns, values) => {
    for (let at = 0; at < values.length; at++) mean[columns[at]!]! += values[at]!;
  });
  for (let column = 0; column < nCols; column++) mean[column]! /= Math.max(nRows, 1);
  const squares = new Float64Array(nCols), stored = new Uint32Array(nCols);
  forEachRow(rows, (_, columns, values) => {
    for (let at = 0; at < values.length; at++) {
      const column = columns[at]!;
      squares[column]! += (values[at]! - mean[column]!) ** 2;
      stored[column]! += 1;
    }
  });
  const variance = squares.map((sum, column) => {
    const absent = (nRows - stored[column]!) * mean[column]! ** 2;
    return nRows > 1 ? (sum + absent) / (nRows - 1) : 0;
  });
  return { mean, variance };
}

/**
 * Keeps some columns, in the given order.
 *
 * @param rows Sparse rows
 * @param columns Columns to keep; each at most once
 * @returns Rows with `columns.length` columns; inside a row the columns ascend
 * @throws {RangeError} When a column does not exist or is named twice
 */
export function selectColumns(rows: SparseRows, columns: ArrayLike<number>): SparseRows {
  const place = new Int32Array(rows.nCols).fill(-1);
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at]!;
    if (place[column] !== -1) {
      throw new RangeError(
        `Cannot select columns as each must be one of 0..${
          rows.nCols - 1
        }, once: got ${column} at ${at}`,
      );
    }
    place[column] = at;
  }
  const indptr = new Uint32Array(rows.nRows + 1);
  const indices: number[] = [], data: number[] = [];
  forEachRow(rows, (row, from, values) => {
    const kept: number[] = []; // places in this row
    for (let at = 0; at < from.length; at++) if (place[from[at]!]! >= 0) kept.push(at);
    kept.sort((a, b) => place[from[a]!]! - place[from[b]!]!);
    for (const at of kept) {
      indices.push(place[from[at]!]!);
      data.push(values[at]!);
    }
    indptr[row + 1] = data.length;
  });
  return {
    nRows: rows.nRows,
    nCols: columns.length,
    indptr,
    indices: Uint32Array.from(indices),
    data: rows.data instanceof Float32Array ? Float32Array.from(data) : Float64Array.from(data),
  };
}
