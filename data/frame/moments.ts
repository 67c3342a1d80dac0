/** Moments and quantiles of numbers. */

/** A quantile of ascending numbers, interpolated between neighbours as numpy does; NaN of none. */
export function quantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  const t = at - below;
  // The least number is itself, even beside one that is infinitely far away.
  if (a === b || q === 0) return a;
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/** Mean and standard deviation, which divides by n - 1. */
export function moments(values: Float64Array): { mean: number; std: number } {
  const mean = compensated(values, (x) => x) / values.length;
  const squares = compensated(values, (x) => (x - mean) ** 2);
  return { mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN };
}

function compensated(values: Float64Array, value: (x: number) => number): number {
  let total = 0, lost = 0;
  for (let k = 0; k < values.length; k++) {
    const y = value(values[k]!) - lost;
    const t = total + y;
    lost = Number.isFinite(t) ? t - total - y : 0;
    total = t;
  }
  return total;
}
