/** Moments and quantiles of numbers. */

/** Ranges of equal width that numbers are put into. */
const BUCKETS = 1 << 12;

/**
 * Quantiles of numbers, as numpy has them; NaN of none.
 *
 * @param values The numbers, none of them NaN; they are put into another order.
 * @param shares Which quantiles: 0.5 for the median.
 */
export function quantiles(values: Float64Array, shares: readonly number[]): number[] {
  sortAround(values, shares);
  return shares.map((q) => quantile(values, q));
}

/** Ranks of the two neighbours of a quantile. */
function ranksOf({ length }: Float64Array, q: number): [number, number] {
  const below = Math.floor((length - 1) * q);
  return [below, Math.min(below + 1, length - 1)];
}

/** A quantile of numbers of which its neighbours at least are sorted, interpolated between these. */
function quantile(values: Float64Array, q: number): number {
  if (values.length === 0) return NaN;
  const [below, above] = ranksOf(values, q);
  const [a, b] = [values[below]!, values[above]!];
  const t = (values.length - 1) * q - below;
  // The least number is itself, even beside one that is infinitely far away.
  if (a === b || q === 0) return a;
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/**
 * Orders numbers so that the neighbours of quantiles stand where sorting would put them: all numbers go into ranges, and only
 * the ranges of these are sorted.
 */
function sortAround(values: Float64Array, shares: readonly number[]): void {
  if (values.length < 4 * BUCKETS) return void values.sort();
  let least = Infinity, most = -Infinity;
  for (let k = 0; k < values.length; k++) {
    const x = values[k]!;
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const ends = intoBuckets(values, least, (BUCKETS - 1) / (most - least));
  const ranks = shares.flatMap((q) => ranksOf(values, q));
  for (let bucket = 0, start = 0; bucket < BUCKETS; start = ends[bucket++]!) {
    const end = ends[bucket]!;
    if (ranks.some((rank) => rank >= start && rank < end)) values.subarray(start, end).sort();
  }
}

/**
 * Orders numbers by range; returns where each range ends. Rounding keeps the order of numbers, so that none is above one of a
 * later range; all are in the first one where `scale` is 0 or infinite.
 */
function intoBuckets(values: Float64Array, least: number, scale: number): Uint32Array {
  const next = new Uint32Array(BUCKETS + 1);
  for (let k = 0; k < values.length; k++) next[((values[k]! - least) * scale | 0) + 1]!++;
  for (let bucket = 0; bucket < BUCKETS; bucket++) next[bucket + 1]! += next[bucket]!;
  const before = values.slice();
  for (let k = 0; k < before.length; k++) {
    const x = before[k]!;
    values[next[(x - least) * scale | 0]!++] = x;
  }
  return next;
}

/** Mean and standard deviation, which divides by n - 1. */
export function moments(values: Float64Array): { mean: number; std: number } {
  const { length } = values;
  const mean = compensated(values) / length;
  const squares = new Float64Array(length);
  for (let k = 0; k < length; k++) squares[k] = (values[k]! - mean) ** 2;
  return { mean, std: length > 1 ? Math.sqrt(compensated(squares) / (length - 1)) : NaN };
}

/** Sum of numbers; what rounding loses is added back (Kahan). */
function compensated(values: Float64Array): number {
  let total = 0, lost = 0;
  for (let k = 0; k < values.length; k++) {
    const y = values[k]! - lost;
    const t = total + y;
    lost = Number.isFinite(t) ? t - total - y : 0;
    total = t;
  }
  return total;
}
