/** Library-size normalisation and logarithm, as the baselines need them. */
import { log1p, normalizeTotal, refuseUnknownKeys } from "../../lib/mod.ts";
import { checkRows, type SparseRows } from "./rows.ts";

/** Settings of {@linkcode logNormalize}. */
export interface LogNormalizeOptions {
  /** Sum of each cell before the logarithm; 10,000 by default. */
  readonly targetSum?: number;
}

/**
 * Scales each cell to `targetSum` and takes log(1 + x); a cell without counts stays zero.
 *
 * Reference: scanpy `pp.normalize_total(target_sum=1e4)` and `pp.log1p`, in the precision of the counts.
 *
 * @example
 * ```ts
 * import { logNormalize } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const counts = {
 *   nRows: 1,
 *   nCols: 3,
 *   indptr: new Uint32Array([0, 2]),
 *   indices: new Uint32Array([0, 2]),
 *   data: new Float32Array([1, 3]),
 * };
 * const { data } = logNormalize(counts, { targetSum: 4 });
 * assert.deepEqual(data, new Float32Array([Math.log(2), Math.log(4)]));
 * ```
 *
 * @param counts Counts [cells, genes] over all measured genes
 * @param options Settings
 * @returns New values at the same places
 * @throws {RangeError} When a value is negative or not finite, or the target is not positive
 */
export function logNormalize(counts: SparseRows, options: LogNormalizeOptions = {}): SparseRows {
  refuseUnknownKeys(options, ["targetSum"], "log-normalise");
  checkRows(counts, "log-normalise");
  return log1p(normalizeTotal(counts, options));
}

/**
 * Whether all stored values are whole and not negative, as raw counts are.
 *
 * @param rows Sparse rows
 * @returns True for counts; log-normalised values give false
 */
export function isCounts(rows: SparseRows): boolean {
  return rows.data.every((value) => value >= 0 && Number.isInteger(value));
}
