/** Mean and spread over seeds. */

/** What is told of a few numbers. */
export interface Summary {
  /** Arithmetic mean. */
  readonly mean: number;
  /** Standard deviation with n - 1 below; 0 for one number. */
  readonly sd: number;
  /** Least number. */
  readonly min: number;
  /** Largest number. */
  readonly max: number;
  /** Numbers. */
  readonly n: number;
}

/**
 * Summarises the results of several seeds.
 *
 * @example
 * ```ts
 * import { summarize } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(summarize([1, 2, 3]), { mean: 2, sd: 1, min: 1, max: 3, n: 3 });
 * ```
 *
 * @param values One number for each seed
 * @returns Mean, standard deviation, least, largest and number
 * @throws {RangeError} When there is no number, or one is not finite
 */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  const strange = values.find((value) => !Number.isFinite(value));
  if (n === 0 || strange !== undefined) {
    throw new RangeError(
      `Cannot summarise values as there must be some, all finite: got ${strange ?? "none"}`,
    );
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = n === 1 ? 0 : Math.sqrt(squares / (n - 1));
  return { mean, sd, min: Math.min(...values), max: Math.max(...values), n };
}
