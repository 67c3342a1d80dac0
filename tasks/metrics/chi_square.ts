/** The chi-square distribution's upper tail. */

/**
 * Probability that a chi-square variable exceeds `statistic`: the regularised upper incomplete gamma function Q(df/2, statistic/2).
 *
 * Reference: scipy `stats.chi2.sf`; Numerical Recipes, section 6.2 (series and continued fraction).
 *
 * @param statistic Value, 0 or more
 * @param df Degrees of freedom, above 0
 * @returns Probability in 0..1
 * @throws {RangeError} When an argument is out of range
 */
export function chiSquareSurvival(statistic: number, df: number): number {
  if (!(statistic >= 0) || !(df > 0)) {
    throw new RangeError(
      `Cannot compute a chi-square tail as statistic must be >= 0 and df > 0: got ${statistic} and ${df}`,
    );
  }
  const a = df / 2, x = statistic / 2;
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * lowerSeries(a, x) : scale * upperFraction(a, x);
}

/** Sum of x^k / (a (a+1) ... (a+k)). */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a, sum = term;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

/** The continued fraction 1/(x+1-a- 1(1-a)/(x+3-a- ...)), by Lentz's method. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a, c = 1 / tiny, d = 1 / b, product = d;
  for (let k = 1, factor = 0; Math.abs(factor - 1) > 1e-16 && k < 10_000; k++) {
    const numerator = -k * (k - a);
    b += 2;
    d = 1 / (numerator * d + b || tiny);
    c = b + numerator / c || tiny;
    factor = c * d;
    product *= factor;
  }
  return product;
}

/** Lanczos' coefficients for g = 7, by P. Godfrey. */
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** ln Γ(a) for a > 0. */
function logGamma(a: number): number {
  if (a < 0.5) return logGamma(a + 1) - Math.log(a);
  const x = a - 1, t = x + 7.5;
  const sum = LANCZOS.reduce(
    (total, coefficient, k) => total + (k === 0 ? coefficient : coefficient / (x + k)),
    0,
  );
  return Math.log(2 * Math.PI) / 2 + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}
