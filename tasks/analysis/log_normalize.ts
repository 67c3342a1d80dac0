/** Library-size normalisation and logarithm, as the baselines need them. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { checkRows, type SparseRows } from "./rows.ts";

/** Settings of {@linkcode logNormalize}. */
export interface LogNormalizeOptions {
  /** Sum of each cell before the logarithm; 10,000 by default. */
  readonly targetSum?: number;
}

/**
 * Scales each cell to `targetSum` and takes log(1 + x); a cell without counts stays zero.
 *
 * Reference: scanpy `pp.normalize_total(target_sum=1e4)` and `pp.log1p`.
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
 * @returns New values at the same places, float32
 * @throws {RangeError} When a value is negative or not finite, or the target is not positive
 */
export function logNormalize(counts: SparseRows, options: LogNormalizeOptions = {}): SparseRows {
  refuseUnknownKeys(options, ["targetSum"], "log-normalise");
  const { targetSum = 1e4 } = options;
  if (!(targetSum > 0 && targetSum < Infinity)) {
    throw new RangeError(`Cannot log-normalise as targetSum must be > 0: got ${targetSum}`);
  }
  checkRows(counts, "log-normalise");
  const data = new Float32Array(counts.data.length);
  for (let row = 0; row < counts.nRows; row++) {
    const start = counts.indptr[row]!, end = counts.indptr[row + 1]!;
    const scale = targetSum / sumOfCounts(counts, row);
    for (let at = start; at < end; at++) {
      data[at] = counts.data[at] === 0 ? 0 : Math.log1p(counts.data[at]! * scale);
    }
  }
  return { ...counts, data };
}

function sumOfCounts(counts: SparseRows, row: number): number {
  let sum = 0;
  for (let at = counts.indptr[row]!; at < counts.indptr[row + 1]!; at++) {
    const value = counts.data[at]!;
    if (!(value >= 0 && value < Infinity)) {
      throw new RangeError(
        `Cannot log-normalise row ${row} as counts must be finite and >= 0: got ${value}`,
      );
    }
    sum += value;
  }
  return sum;
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
