import assert from "node:assert/strict";
import { alignCells } from "../../../tasks/baselines/cells.ts";
import { QUERY_LOG, REFERENCE_LOG } from "../fixtures.ts";
import { QUERY, REFERENCE } from "./cells.ts";

Deno.test("alignCells() brings the query's genes into the reference's order, normalised over all genes", async () => {
  const cells = await alignCells(REFERENCE, QUERY);
  assert.deepEqual(cells.genes, REFERENCE.varNames);
  assert.deepEqual(cells.reference, REFERENCE_LOG);
  assert.deepEqual(cells.query, QUERY_LOG);
});

Deno.test("alignCells() keeps variable or chosen genes that both sides have", async () => {
  const fewer = {
    ...QUERY,
    varNames: QUERY.varNames.map((name) => name === "G3" ? "other" : name),
  };
  assert.equal((await alignCells(REFERENCE, fewer, { nGenes: 7 })).query.nCols, 7);
  const { genes, reference } = await alignCells(REFERENCE, fewer, { genes: ["G5", "G3", "G1"] });
  assert.deepEqual(genes, ["G1", "G5"]);
  assert.equal(reference.nCols, 2);
});

Deno.test("alignCells() takes values that are no counts as they are", async () => {
  const log = { ...REFERENCE, X: REFERENCE_LOG };
  assert.deepEqual((await alignCells(log, QUERY)).reference, REFERENCE_LOG);
});

Deno.test("alignCells() refuses cells that do not fit together", async () => {
  const strange = { ...QUERY, varNames: QUERY.varNames.map((name) => `ENS${name}`) };
  await assert.rejects(alignCells(REFERENCE, strange), /must share .* got G0 … and ENSG39 …/);
  await assert.rejects(alignCells({ ...REFERENCE, labels: ["B"] }, QUERY), /got 1 for 90 cells/);
  await assert.rejects(alignCells({ ...REFERENCE, varNames: ["G0"] }, QUERY), /got 1 for 40 genes/);
});
