/** How much of the variance of coordinates batches explain. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { pca } from "../analysis/pca.ts";
import { checkRows, columnMoments, type DenseRows } from "../analysis/rows.ts";
import { checkLabels, groupsOf, type Labels } from "./groups.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/** Settings of {@linkcode principalComponentRegression}. */
export interface PcrOptions {
  /** Leading components that are regressed; all of them by default. */
  readonly nComponents?: number;
  /** Stops the computation. */
  readonly signal?: AbortSignal;
}

const ACT = "regress principal components";

/**
 * Principal component regression: the sum over components of variance · R²(batch), over the sum of variances. R² on one-hot batches is the
 * share of variance between batch means, so with all components their rotation does not matter and none is computed.
 *
 * Reference: scib-metrics 0.5.10 `utils.principal_component_regression(categorical=True)`, which takes all components; scib 1.1.7
 * `metrics.pc_regression`, which takes 50 and regresses on the numbers themselves where batches are numeric: give it texts to compare.
 *
 * @param rows Coordinates [n, d]
 * @param batches Batch of each cell [n]
 * @param options Settings
 * @returns Share in 0..1
 * @throws {RangeError} When sizes do not fit, or nComponents is not in 1..min(n, d)
 * @throws {UndefinedMetricError} When nothing varies
 */
export async function principalComponentRegression(
  rows: DenseRows,
  batches: Labels,
  options: PcrOptions = {},
): Promise<number> {
  refuseUnknownKeys(options, ["nComponents", "signal"], ACT);
  checkRows(rows, ACT);
  checkLabels(batches, rows.nRows, ACT);
  const { nComponents, signal } = options;
  if (nComponents === undefined) return betweenShare(rows, batches);
  const { scores } = await pca(rows, { nComponents, ...(signal && { signal }) });
  return betweenShare(
    { nRows: rows.nRows, nCols: scores.length / rows.nRows, data: scores },
    batches,
  );
}

/**
 * Principal component regression comparison: the share of the batches' variance that integration took away, (before - after) / before; 0
 * when it grew.
 *
 * Reference: scib 1.1.7 `metrics.pcr_comparison` as scGPT's evaluation calls it (`nComponents: 50`, before = the principal components of the
 * genes); scib-metrics 0.5.10 `pcr_comparison` (all components).
 *
 * @example
 * ```ts
 * import { pcrComparison } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const before = { nRows: 4, nCols: 1, data: new Float32Array([0, 1, 4, 5]) };
 * const after = { nRows: 4, nCols: 1, data: new Float32Array([0, 1, 0, 1]) };
 * assert.equal(await pcrComparison(before, after, ["a", "a", "b", "b"]), 1);
 * ```
 *
 * @param before Coordinates before integration [n, d]
 * @param after Coordinates after it [n, e]
 * @param batches Batch of each cell [n]
 * @param options Settings; `nComponents` is lowered to the number of columns where those are fewer
 * @returns Score in 0..1, higher where less is left
 * @throws {RangeError} As {@linkcode principalComponentRegression}
 * @throws {UndefinedMetricError} When there is one batch, or batches explained nothing before
 */
export async function pcrComparison(
  before: DenseRows,
  after: DenseRows,
  batches: Labels,
  options: PcrOptions = {},
): Promise<number> {
  const act = "compare principal component regressions";
  if (groupsOf(batches).names.length < 2) {
    throw new UndefinedMetricError(act, "there must be 2 batches: got 1");
  }
  const [first, last] = await Promise.all([before, after].map((rows) => {
    const most = Math.min(rows.nRows, rows.nCols);
    const { nComponents = most } = options;
    return principalComponentRegression(rows, batches, nComponents < most ? options : {});
  }));
  if (first === 0) throw new UndefinedMetricError(act, "batches explained nothing before");
  return Math.max(0, (first! - last!) / first!);
}

/** Variance between the batches' means over the total, summed over columns. */
function betweenShare(rows: DenseRows, batches: Labels): number {
  const { nRows, nCols, data } = rows;
  const { mean, variance } = columnMoments(rows);
  const { codes, sizes } = groupsOf(batches);
  const sums = new Float64Array(sizes.length * nCols); // of deviations, by batch
  codes.forEach((batch, row) => {
    for (let j = 0; j < nCols; j++) {
      sums[batch * nCols + j]! += data[row * nCols + j]! - mean[j]!;
    }
  });
  const between = sums.reduce(
    (total, sum, at) => total + sum * sum / sizes[Math.floor(at / nCols)]!,
    0,
  );
  const total = variance.reduce((sum, value) => sum + value, 0) * (nRows - 1);
  if (!(total > 0)) throw new UndefinedMetricError(ACT, "coordinates must vary: they do not");
  return between / total;
}
