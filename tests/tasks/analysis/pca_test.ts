import assert from "node:assert/strict";
import { RandomStream } from "../../../gpu/mod.ts";
import { pca, pcaTransform } from "../../../tasks/analysis/pca.ts";
import { assertClose, dense, QUERY_LOG, REFERENCE_LOG, SKLEARN } from "../fixtures.ts";

Deno.test("pca() gives scikit-learn's variances and scores, signs included", async () => {
  const fitted = await pca(REFERENCE_LOG, { nComponents: 10 });
  assertClose(fitted.explainedVariance, SKLEARN.pca.explainedVariance, 1e-5);
  assertClose(fitted.explainedVarianceRatio, SKLEARN.pca.explainedVarianceRatio, 1e-7);
  assertClose(fitted.scores, SKLEARN.pca.scores.flat(), 2e-5);
});

Deno.test("pca() gives the same for dense rows and for another seed", async () => {
  const a = await pca(REFERENCE_LOG, { nComponents: 5 });
  const b = await pca(dense(SKLEARN.logNormalized), { nComponents: 5, seed: 9 });
  assertClose(a.scores, b.scores, 2e-5);
});

Deno.test("pca() gives no more components than the rank", async () => {
  const { nComponents, scores } = await pca(
    dense([[0, 0, 1], [1, 1, 1], [2, 2, 1], [3, 3, 1]]),
    {},
  );
  assert.equal(nComponents, 1);
  assertClose(scores, [-1.5, -0.5, 0.5, 1.5].map((x) => x * Math.SQRT2), 1e-6);
});

Deno.test("pcaTransform() projects new rows as scikit-learn", async () => {
  const fitted = await pca(REFERENCE_LOG, { nComponents: 10 });
  assertClose(pcaTransform(fitted, QUERY_LOG), SKLEARN.pca.queryScores.flat(), 2e-5);
  assert.throws(() => pcaTransform(fitted, dense([[1, 2]])), /40 columns of the fit: got 2/);
});

Deno.test("pca() refuses what has no components", async () => {
  await assert.rejects(pca(dense([[1, 2]])), RangeError);
  await assert.rejects(pca(dense([[1, 2], [1, 2]])), /total variance must be > 0/);
  await assert.rejects(pca(REFERENCE_LOG, { nComponents: 41 }), /got 41 of \[90, 40\]/);
});

Deno.test("pca() stops on a signal", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(pca(REFERENCE_LOG, { signal }), { name: "AbortError" });
  const random = new RandomStream(1, 7), size = [4000, 400] as const; // takes far longer than a turn
  const data = Float32Array.from({ length: size[0] * size[1] }, () => random.normal());
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")));
  const running = pca({ nRows: size[0], nCols: size[1], data }, { signal: controller.signal });
  await assert.rejects(running, /enough/);
});
