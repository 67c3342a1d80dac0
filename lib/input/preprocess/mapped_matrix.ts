/** A matrix whose values are computed when its rows are read. */
import {
  csrMatrix,
  type CsrRows,
  type DenseOptions,
  type Matrix,
  type RowsOptions,
} from "../../../data/mod.ts";

/**
 * The matrix with a function applied to each piece of rows.
 *
 * @param base Matrix
 * @param change Gives the piece with other values at the same places, as 64-bit floats where `base` has them and else as 32-bit ones
 * @returns A matrix that is computed whenever it is read
 */
export function mapRows(base: Matrix, change: (rows: CsrRows) => CsrRows): Matrix {
  const isDouble = base.dtype === "float64";
  async function* rows(options?: RowsOptions): AsyncGenerator<CsrRows> {
    for await (const piece of base.rows(options)) {
      const data = isDouble ? piece.data : Float32Array.from(piece.data);
      yield change({ ...piece, data });
    }
  }
  async function dense({ dtype = "float32", ...range }: DenseOptions = {}): Promise<never> {
    const { start = 0, end = base.shape[0] } = range;
    const nCols = base.shape[1];
    const values = new (dtype === "float64" ? Float64Array : Float32Array)((end - start) * nCols);
    for await (const { start: first, nRows, indptr, indices, data } of rows(range)) {
      const block = csrMatrix({ shape: [nRows, nCols], indptr, indices, data });
      values.set(await block.dense({ dtype: "float64" }), (first - start) * nCols);
    }
    return values as never;
  }
  return { shape: base.shape, format: "csr", dtype: isDouble ? "float64" : "float32", rows, dense };
}
