/** Choice of genes for the simple baselines. */
import { checkRows, columnMoments, type SparseRows } from "./rows.ts";

/**
 * The `count` columns with the largest variance. On log-normalised values this is the plainest choice of variable genes; it has no
 * correction for the mean, unlike the `seurat_v3` genes of the model's own input.
 *
 * @param rows Log-normalised values [cells, genes]
 * @param count Columns wanted; all that vary are given when there are fewer
 * @returns Column numbers, ascending; the lower column wins among equal variances
 * @throws {RangeError} When `count` is not a positive integer
 */
export function topVarianceGenes(
  rows: SparseRows,
  count: number,
): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `Cannot choose genes as their number must be an integer >= 1: got ${count}`,
    );
  }
  checkRows(rows, "choose genes");
  const { variance } = columnMoments(rows);
  const varying = Array.from(variance.keys()).filter((column) => variance[column]! > 0);
  varying.sort((a, b) => variance[b]! - variance[a]! || a - b);
  return Uint32Array.from(varying.slice(0, count)).sort();
}
