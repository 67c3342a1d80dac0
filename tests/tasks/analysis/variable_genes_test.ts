import assert from "node:assert/strict";
import { topVarianceGenes, variableGenes } from "../../../tasks/analysis/variable_genes.ts";
import { REFERENCE_COUNTS, REFERENCE_LOG, sparse } from "../fixtures.ts";
import { columnMoments } from "../../../tasks/analysis/rows.ts";

Deno.test("topVarianceGenes() takes the largest variances, the lower column among equals", () => {
  const rows = sparse([[1, 0, 5, 0, 2], [1, 2, 0, 2, 2]]);
  assert.deepEqual(topVarianceGenes(rows, 2), new Uint32Array([1, 2]));
  assert.deepEqual(topVarianceGenes(rows, 9), new Uint32Array([1, 2, 3]));
  assert.throws(() => topVarianceGenes(rows, 0), RangeError);
});

Deno.test("variableGenes() corrects for the mean on counts alone", async () => {
  const counts = await variableGenes(REFERENCE_COUNTS, 8);
  assert.equal(counts.length, 8);
  assert.notDeepEqual(counts, topVarianceGenes(REFERENCE_COUNTS, 8));
  assert.deepEqual(await variableGenes(REFERENCE_LOG, 8), topVarianceGenes(REFERENCE_LOG, 8));
});

Deno.test("variableGenes() gives all that vary when more are wanted", async () => {
  const { variance } = columnMoments(REFERENCE_COUNTS);
  const varying = variance.filter((one) => one > 0).length;
  assert.equal((await variableGenes(REFERENCE_COUNTS, 1000)).length, varying);
  await assert.rejects(variableGenes(REFERENCE_COUNTS, 0), RangeError);
});
