import assert from "node:assert/strict";
import { topVarianceGenes } from "../../../tasks/analysis/variable_genes.ts";
import { sparse } from "../fixtures.ts";

Deno.test("topVarianceGenes() takes the largest variances, the lower column among equals", () => {
  const rows = sparse([[1, 0, 5, 0, 2], [1, 2, 0, 2, 2]]);
  assert.deepEqual(topVarianceGenes(rows, 2), new Uint32Array([1, 2]));
  assert.deepEqual(topVarianceGenes(rows, 9), new Uint32Array([1, 2, 3]));
  assert.throws(() => topVarianceGenes(rows, 0), RangeError);
});
