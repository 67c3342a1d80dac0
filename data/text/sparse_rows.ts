/** Rows of numbers that are gathered one value after another. */
import { csrMatrix, denseMatrix } from "../matrix_memory.ts";
import type { Matrix } from "../matrix.ts";
import type { FloatArray } from "../numbers.ts";

/** Share of values that are not zero from which a dense array takes less memory. */
const DENSE_SHARE = 0.5;

/** The values of a table row by row, zeros left out; its arrays grow as they are needed. */
export class SparseRows {
  #indices = new Uint32Array(1 << 12);
  #data: FloatArray;
  #bounds = new Uint32Array(1 << 8);
  #count = 0;
  #rows = 0;

  /** Makes an empty table. */
  constructor(dtype: "float32" | "float64") {
    this.#data = dtype === "float32" ? new Float32Array(1 << 12) : new Float64Array(1 << 12);
  }

  /** Number of rows that are whole. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a value to the row at hand; columns must ascend. */
  add(column: number, value: number): void {
    if (value === 0) return;
    if (this.#count === this.#indices.length) this.#grow();
    this.#indices[this.#count] = column;
    this.#data[this.#count++] = value;
  }

  /** Ends the row at hand. */
  endRow(): void {
    if (++this.#rows === this.#bounds.length) {
      const bounds = new Uint32Array(2 * this.#rows);
      bounds.set(this.#bounds);
      this.#bounds = bounds;
    }
    this.#bounds[this.#rows] = this.#count;
  }

  #grow(): void {
    const length = 2 * this.#count;
    const indices = new Uint32Array(length);
    indices.set(this.#indices);
    this.#indices = indices;
    const data = this.#data instanceof Float32Array
      ? new Float32Array(length)
      : new Float64Array(length);
    data.set(this.#data);
    this.#data = data;
  }

  /** The matrix of `columns` columns, or with rows and columns exchanged; dense where that takes less memory. */
  matrix(columns: number, options: { transpose: boolean }): Matrix {
    const [nRows, nCols] = options.transpose ? [columns, this.#rows] : [this.#rows, columns];
    if (this.#count > DENSE_SHARE * nRows * nCols) return this.#dense(columns, options.transpose);
    const { indptr, indices, data } = options.transpose
      ? this.#transposed(columns)
      : this.#arrays();
    return csrMatrix({ shape: [nRows, nCols], indptr, indices, data });
  }

  #arrays() {
    return {
      indptr: this.#bounds.slice(0, this.#rows + 1),
      indices: this.#indices.subarray(0, this.#count),
      data: this.#data.subarray(0, this.#count),
    };
  }

  #transposed(columns: number) {
    const indptr = new Uint32Array(columns + 1);
    for (let k = 0; k < this.#count; k++) indptr[this.#indices[k]! + 1]!++;
    for (let column = 0; column < columns; column++) indptr[column + 1]! += indptr[column]!;
    const next = indptr.slice();
    const indices = new Uint32Array(this.#count);
    const data = this.#data.slice(0, this.#count);
    for (let row = 0; row < this.#rows; row++) {
      for (let k = this.#bounds[row]!; k < this.#bounds[row + 1]!; k++) {
        const at = next[this.#indices[k]!]!++;
        indices[at] = row;
        data[at] = this.#data[k]!;
      }
    }
    return { indptr, indices, data };
  }

  #dense(columns: number, transpose: boolean): Matrix {
    const [nRows, nCols] = transpose ? [columns, this.#rows] : [this.#rows, columns];
    const values = this.#data instanceof Float32Array
      ? new Float32Array(nRows * nCols)
      : new Float64Array(nRows * nCols);
    for (let row = 0; row < this.#rows; row++) {
      for (let k = this.#bounds[row]!; k < this.#bounds[row + 1]!; k++) {
        const column = this.#indices[k]!;
        values[transpose ? column * nCols + row : row * nCols + column] = this.#data[k]!;
      }
    }
    return denseMatrix(values, [nRows, nCols]);
  }
}
