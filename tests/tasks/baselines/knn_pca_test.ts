import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { knnPcaBaseline } from "../../../tasks/baselines/knn_pca.ts";
import { assertClose, SKLEARN } from "../fixtures.ts";
import { QUERY, REFERENCE } from "./cells.ts";

Deno.test("knnPcaBaseline() gives the shares of scikit-learn's PCA and neighbours", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const settings = { device, nComponents: 10, k: 7 };
  const { confidence } = await knnPcaBaseline(REFERENCE, QUERY, settings);
  const shares = SKLEARN.knn.uniform.probabilities;
  assertClose(confidence, shares.map((row) => Math.max(...row)), 1e-6);
});

Deno.test("knnPcaBaseline() takes fewer components and neighbours where there are few cells", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const { labels } = await knnPcaBaseline(REFERENCE, QUERY, { device, genes: ["G1", "G2"] });
  assert.equal(labels.length, QUERY.labels.length);
});
