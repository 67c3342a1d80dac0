/** Choice of genes for the simple baselines. */
import { highlyVariableGenes } from "../../lib/mod.ts";
import { isCounts } from "./log_normalize.ts";
import { checkRows, columnMoments, type SparseRows } from "./rows.ts";

/**
 * The genes that vary most for their mean, by `seurat_v3` on counts; on other values, whose trend is another, those with the
 * largest variance.
 *
 * @param rows Counts, or log-normalised values [cells, genes]
 * @param count Columns wanted; all that vary are given when there are fewer
 * @returns Column numbers, ascending
 * @throws {RangeError} When `count` is not a positive integer, or counts of more genes have fewer than four different means
 */
export async function variableGenes(
  rows: SparseRows,
  count: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const top = topVarianceGenes(rows, count);
  const hasMore = topVarianceGenes(rows, count + 1).length > count;
  if (!hasMore || !isCounts(rows)) return top;
  const source = {
    shape: [rows.nRows, rows.nCols] as const,
    async *rows() {
      yield { ...rows, start: 0 };
    },
  };
  return (await highlyVariableGenes(source, { nTopGenes: count })).columns;
}

/**
 * The `count` columns with the largest variance. On log-normalised values this is the plainest choice of variable genes; it has no
 * correction for the mean, unlike {@linkcode highlyVariableGenes}.
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
