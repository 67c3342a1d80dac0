/** Depth normalisation and logarithm of sparse rows, in the precision of their values as numpy computes them. */
import { refuseUnknownKeys } from "../../options.ts";
import { median } from "./median.ts";
import { type ExpressionRows, readOptions, type RowSource } from "./row_source.ts";

/** The values of sparse rows. */
export type ValueRows = Pick<ExpressionRows, "nRows" | "indptr" | "data">;

/**
 * Scales each cell so that its values sum to `targetSum`; a cell without counts stays zero.
 * Reference: `scanpy.pp.normalize_total`, bit-equal in float32.
 *
 * @example
 * ```ts
 * import { log1p, normalizeTotal } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const rows = { nRows: 1, indptr: Uint32Array.of(0, 2), data: Float32Array.of(1, 3) };
 * assert.deepEqual(normalizeTotal(rows, { targetSum: 8 }).data, Float32Array.of(2, 6));
 * assert.deepEqual(log1p(rows).data, Float32Array.of(Math.log(2), Math.log(4)));
 * ```
 *
 * @param rows Counts over all genes that are to count
 * @param options `targetSum`: sum of each cell; 10,000 unless told
 * @returns The rows with new values
 * @throws {RangeError} When a value is negative or not finite, or the target is not positive
 */
export function normalizeTotal<R extends ValueRows>(
  rows: R,
  options: { readonly targetSum?: number } = {},
): R {
  refuseUnknownKeys(options, ["targetSum"], "normalize counts");
  const { targetSum = 1e4 } = options;
  if (!(targetSum > 0 && targetSum < Infinity)) {
    throw new RangeError(`Cannot normalize counts as targetSum must be > 0: got ${targetSum}`);
  }
  const { nRows, indptr } = rows;
  const data = rows.data.slice();
  const round = data instanceof Float32Array ? Math.fround : (value: number) => value;
  for (let row = 0; row < nRows; row++) {
    const factor = round(round(totalOf(rows, row)) / round(targetSum)) || 1;
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) data[at]! /= factor;
  }
  return { ...rows, data };
}

/**
 * Takes log(1 + x) of all values. Reference: `scanpy.pp.log1p`, equal to the last bit or the one before it in float32.
 *
 * @param rows Values > -1
 * @returns The rows with new values
 */
export function log1p<R extends Pick<ValueRows, "data">>(rows: R): R {
  return { ...rows, data: rows.data.map(Math.log1p) };
}

/**
 * The median over cells of their total counts, cells without counts aside: what `normalize_total` scales to without a target.
 *
 * @param source Counts of cells x genes
 * @param options Abort signal
 * @returns Median; NaN when no cell has counts
 * @throws {RangeError} When a value is negative or not finite
 */
export async function medianTotal(
  source: RowSource,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  refuseUnknownKeys(options, ["signal"], "normalize counts");
  const totals: number[] = [];
  for await (const rows of source.rows(readOptions(options))) {
    for (let row = 0; row < rows.nRows; row++) totals.push(totalOf(rows, row));
  }
  return median(totals.filter((total) => total > 0));
}

/** Sum of the values of a row. */
function totalOf(
  { indptr, data, start = 0 }: ValueRows & { readonly start?: number },
  row: number,
) {
  let sum = 0;
  for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
    const value = data[at]!;
    if (!(value >= 0 && value < Infinity)) {
      throw new RangeError(
        `Cannot normalize row ${start + row} as counts must be finite and >= 0: got ${value}`,
      );
    }
    sum += value;
  }
  return sum;
}
