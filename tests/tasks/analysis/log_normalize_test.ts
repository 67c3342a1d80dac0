import assert from "node:assert/strict";
import { isCounts, logNormalize } from "../../../tasks/analysis/log_normalize.ts";
import { assertClose, REFERENCE_COUNTS, REFERENCE_LOG, SKLEARN, sparse } from "../fixtures.ts";

Deno.test("logNormalize() gives scanpy's values", () => {
  const wanted = sparse(SKLEARN.logNormalized);
  assert.deepEqual(REFERENCE_LOG.indices, wanted.indices);
  assertClose(REFERENCE_LOG.data, wanted.data, 2e-6);
});

Deno.test("logNormalize() leaves a cell without counts at zero", () => {
  const empty = { ...sparse([[0, 0], [1, 1]]) };
  assert.equal(logNormalize(empty).data.length, 2);
  const stored = { ...sparse([[1, 1]]), data: new Float32Array([0, 0]) };
  assert.deepEqual(logNormalize(stored).data, new Float32Array([0, 0]));
});

Deno.test("logNormalize() refuses negative values and unknown options", () => {
  assert.throws(() => logNormalize(sparse([[1], [-1.5]])), /row 1 .* got -1\.5/);
  const misspelt = { targetsum: 1 } as object;
  assert.throws(() => logNormalize(REFERENCE_COUNTS, misspelt), /"targetSum"/);
});

Deno.test("isCounts() tells counts from their logarithms", () => {
  assert.equal(isCounts(REFERENCE_COUNTS), true);
  assert.equal(isCounts(REFERENCE_LOG), false);
  assert.equal(isCounts(sparse([[1, -1]])), false);
});
