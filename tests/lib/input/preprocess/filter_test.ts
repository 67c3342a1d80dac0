import assert from "node:assert/strict";
import { denseMatrix } from "../../../../data/mod.ts";
import { filterCells, filterGenes } from "../../../../lib/input/preprocess/filter.ts";

const X = denseMatrix(Float32Array.of(1, 0, 2, 0, 0, 2, 1, 5, 0), [3, 3]);

Deno.test("filterGenes() keeps genes with enough counts", async () => {
  assert.deepEqual([...await filterGenes(X, { minCounts: 3 })], [1, 2]);
  assert.deepEqual([...await filterGenes(X, { minCounts: 6 })], []);
});

Deno.test("filterCells() counts the genes that are named", async () => {
  assert.deepEqual([...await filterCells(X, { minCounts: 3 })], [0, 2]);
  assert.deepEqual([...await filterCells(X, { minCounts: 2, genes: [0, 2] })], [0, 1]);
  await assert.rejects(filterCells(X, { minCount: 1 } as never), /did you mean "minCounts"/);
});
