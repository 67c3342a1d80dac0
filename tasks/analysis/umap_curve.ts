/** The curve by which UMAP turns distances in the picture into strengths. */

/** Strength 1 / (1 + a d^(2b)) at distance d. */
export interface UmapCurve {
  /** a. */
  readonly a: number;
  /** b. */
  readonly b: number;
}

/** Distances at which the curve is fitted, up to 3 spreads. */
const POINTS = 300;
/** Most steps of the fit; some 10 are needed. */
const STEPS = 100;

/**
 * Fits a and b to the wished strength by damped least squares (Levenberg and Marquardt): 1 up to minDist, then exp(-(d - minDist) / spread).
 *
 * Reference: umap-learn `find_ab_params`.
 *
 * @param minDist Distance up to which cells are fully joined
 * @param spread Distance over which strength falls by e
 * @returns The curve; 0.583 and 1.334 for scanpy's defaults of 0.5 and 1
 */
export function fitUmapCurve(minDist: number, spread: number): UmapCurve {
  let fit = { a: 1, b: 1 }, damping = 1e-3;
  let state = normalEquations(fit, minDist, spread);
  for (let step = 0; step < STEPS; step++) {
    const { aa, ab, bb, a, b, error } = state;
    const determinant = aa * (1 + damping) * bb * (1 + damping) - ab * ab;
    const da = (a * bb * (1 + damping) - b * ab) / determinant;
    const db = (b * aa * (1 + damping) - a * ab) / determinant;
    const next = { a: fit.a + da, b: fit.b + db };
    const tried = normalEquations(next, minDist, spread);
    if (!(tried.error <= error)) {
      damping *= 10;
      continue;
    }
    damping /= 10;
    [fit, state] = [next, tried];
    if (Math.abs(da) + Math.abs(db) < 1e-12) break;
  }
  return fit;
}

/** JᵀJ, Jᵀ(wanted - curve) and the sum of squares at a and b. */
function normalEquations({ a, b }: UmapCurve, minDist: number, spread: number) {
  const sums = { aa: 0, ab: 0, bb: 0, a: 0, b: 0, error: 0 };
  for (let at = 0; at < POINTS; at++) {
    const d = 3 * spread * at / (POINTS - 1);
    const wanted = d < minDist ? 1 : Math.exp(-(d - minDist) / spread);
    const power = d ** (2 * b), strength = 1 / (1 + a * power);
    const byA = -power * strength ** 2;
    const byB = d === 0 ? 0 : -2 * a * power * Math.log(d) * strength ** 2;
    sums.aa += byA * byA;
    sums.ab += byA * byB;
    sums.bb += byB * byB;
    sums.a += byA * (wanted - strength);
    sums.b += byB * (wanted - strength);
    sums.error += (wanted - strength) ** 2;
  }
  return sums;
}
