import assert from "node:assert/strict";
import { pca, pcaTransform } from "../../../tasks/analysis/pca.ts";
import { assertClose, dense, QUERY_LOG, REFERENCE_LOG, SKLEARN } from "../fixtures.ts";

Deno.test("pca() gives scikit-learn's variances and scores, signs included", () => {
  const fitted = pca(REFERENCE_LOG, { nComponents: 10 });
  assertClose(fitted.explainedVariance, SKLEARN.pca.explainedVariance, 1e-5);
  assertClose(fitted.explainedVarianceRatio, SKLEARN.pca.explainedVarianceRatio, 1e-7);
  assertClose(fitted.scores, SKLEARN.pca.scores.flat(), 2e-5);
});

Deno.test("pca() gives the same for dense rows and for another seed", () => {
  const a = pca(REFERENCE_LOG, { nComponents: 5 });
  const b = pca(dense(SKLEARN.logNormalized), { nComponents: 5, seed: 9 });
  assertClose(a.scores, b.scores, 2e-5);
});

Deno.test("pca() gives no more components than the rank", () => {
  const { nComponents, scores } = pca(dense([[0, 0, 1], [1, 1, 1], [2, 2, 1], [3, 3, 1]]), {});
  assert.equal(nComponents, 1);
  assertClose(scores, [-1.5, -0.5, 0.5, 1.5].map((x) => x * Math.SQRT2), 1e-6);
});

Deno.test("pcaTransform() projects new rows as scikit-learn", () => {
  const fitted = pca(REFERENCE_LOG, { nComponents: 10 });
  assertClose(pcaTransform(fitted, QUERY_LOG), SKLEARN.pca.queryScores.flat(), 2e-5);
  assert.throws(() => pcaTransform(fitted, dense([[1, 2]])), /40 columns of the fit: got 2/);
});

Deno.test("pca() refuses what has no components", () => {
  assert.throws(() => pca(dense([[1, 2]])), RangeError);
  assert.throws(() => pca(dense([[1, 2], [1, 2]])), /total variance must be > 0/);
  assert.throws(() => pca(REFERENCE_LOG, { nComponents: 41 }), /got 41 of \[90, 40\]/);
});
