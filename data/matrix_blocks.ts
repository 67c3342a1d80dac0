/** Square matrices along the diagonal of a larger one, read when they are asked for. */
import { type Matrix, matrixOf, type RowRange } from "./matrix.ts";
import { stackMatrices } from "./matrix_stack.ts";

/** A block over the columns of the whole, its first column at column `at`. */
function shifted(block: Matrix, nCols: number, at: number): Matrix {
  return matrixOf({
    shape: [block.shape[0], nCols],
    format: "csr",
    dtype: block.dtype,
    async *pieces({ start, end, multiple, signal }: RowRange) {
      const range = { start, end, ...multiple > 1 && { batch: multiple }, ...signal && { signal } };
      for await (const piece of block.rows(range)) {
        yield { ...piece, nCols, indices: piece.indices.map((column) => column + at) };
      }
    },
  });
}

/**
 * Puts square matrices along the diagonal of a sparse one; nothing is read before rows are asked for.
 *
 * @param blocks The matrices from the top left to the bottom right, undefined for one of zeros.
 * @param sizes Number of rows and columns of each.
 */
export function blockDiagonal(
  blocks: readonly (Matrix | undefined)[],
  sizes: readonly number[],
): Matrix {
  const nCols = sizes.reduce((sum, size) => sum + size, 0);
  let at = 0;
  const parts = blocks.map((block, k) => {
    const nRows = sizes[k]!;
    const part = { matrix: block && shifted(block, nCols, at), nRows };
    at += nRows;
    return part;
  });
  return stackMatrices(parts, { nCols, fill: 0 });
}
