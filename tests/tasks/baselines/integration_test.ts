import assert from "node:assert/strict";
import {
  hvgBaseline,
  hvgPcaBaseline,
  integrationBaselines,
} from "../../../tasks/baselines/integration.ts";
import { assertClose, REFERENCE_LOG, SKLEARN } from "../fixtures.ts";
import { REFERENCE } from "./cells.ts";

Deno.test("hvgBaseline() gives the log-normalised values of the genes named", async () => {
  const { embeddings, nDims } = await hvgBaseline(REFERENCE, { genes: ["G7", "G2", "other"] });
  assert.equal(nDims, 2);
  const { indptr, indices, data } = REFERENCE_LOG;
  const wanted = new Float32Array(embeddings.length);
  for (let row = 0; row < REFERENCE_LOG.nRows; row++) {
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      if (indices[at] === 2) wanted[2 * row] = data[at]!;
      if (indices[at] === 7) wanted[2 * row + 1] = data[at]!;
    }
  }
  assertClose(embeddings, wanted, 1e-6);
  await assert.rejects(hvgBaseline(REFERENCE, { genes: ["other"] }), /got 40 genes, none wanted/);
  await assert.rejects(hvgBaseline({ ...REFERENCE, varNames: ["G0"] }), /got 1 for 40 genes/);
});

Deno.test("hvgPcaBaseline() gives scikit-learn's components", async () => {
  const { embeddings, nDims } = await hvgPcaBaseline(REFERENCE, { nComponents: 10 });
  const wanted = SKLEARN.pca.scores.flat();
  assert.equal(nDims, 10);
  assertClose(embeddings.map(Math.abs), wanted.map(Math.abs), 1e-3); // signs are free
  await assert.rejects(hvgPcaBaseline(REFERENCE, { nComponent: 3 } as object), /"nComponents"/);
});

Deno.test("integrationBaselines() embeds all cells by each method", async () => {
  const batches = REFERENCE.labels.map((_, cell) => cell % 2 === 0 ? "a" : "b");
  const methods = integrationBaselines(REFERENCE, batches, { nComponents: 6, seed: 1 });
  assert.deepEqual(Object.keys(methods), ["HVG", "HVG + PCA", "Harmony"]);
  const sizes: number[] = [];
  for (const embed of Object.values(methods)) {
    const { embeddings, nDims } = await embed();
    assert.equal(embeddings.length, batches.length * nDims);
    assert.ok(embeddings.every(Number.isFinite));
    sizes.push(nDims);
  }
  assert.deepEqual(sizes, [40, 6, 6]);
});
