/** The median, as numpy's. */

/**
 * The middle of some numbers, or the mean of the two in the middle.
 *
 * @param values Numbers in any order
 * @returns Median; NaN for none
 */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
