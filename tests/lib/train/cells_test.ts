import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config.ts";
import { mapGenes } from "../../../lib/input/genes.ts";
import { joinCells, tokenizeCells, type TokenizeCellsOptions } from "../../../lib/train/cells.ts";
import { CELL, cellsOf } from "../../scripts/cells_folder.ts";
import { geneVocab } from "../model/fresh_model.ts";

const VOCAB = geneVocab(12);
const ADATA = cellsOf([CELL, CELL.toReversed(), CELL.map((value) => value > 2 ? value : 0)]);
const EXPRESSED = [7, 7, 4]; // genes of each cell

async function tokensOf(change: Partial<TokenizeCellsOptions> = {}) {
  const mapping = await mapGenes(ADATA.var, VOCAB, {});
  const config = parseConfig("mini", { nBins: 5 });
  return await tokenizeCells(ADATA, { vocab: VOCAB, config, mapping, ...change });
}

Deno.test("tokenizeCells() gives the tokens of any cells in any order", async () => {
  const cells = await tokensOf();
  assert.equal(cells.nCells, 3);
  const { ids, values, offsets, cells: rows } = cells.tokens(Uint32Array.of(2, 0), 0);
  assert.deepEqual(rows, Uint32Array.of(2, 0));
  assert.deepEqual(
    offsets,
    Uint32Array.of(0, 1 + EXPRESSED[2]!, 2 + EXPRESSED[2]! + EXPRESSED[0]!),
  );
  assert.deepEqual([...ids.subarray(0, 5)], [VOCAB.require("<cls>"), 0, 3, 6, 11]);
  assert.ok([...values.subarray(1, 5)].every((bin) => bin >= 1 && bin <= 4));
  assert.deepEqual(cells.tokens(Uint32Array.of(0), 0).ids, ids.slice(5));
});

Deno.test("tokenizeCells() draws the genes of long cells anew in each epoch", async () => {
  const cells = await tokensOf({ maxLength: 4 });
  const ids = (step: number) => [...cells.tokens(Uint32Array.of(0), step).ids];
  assert.equal(ids(0).length, 4);
  assert.equal(ids(0)[0], VOCAB.require("<cls>"));
  assert.deepEqual(ids(0), ids(0));
  assert.ok(new Set(Array.from({ length: 8 }, (_, step) => ids(step).join())).size > 3);
});

Deno.test("tokenizeCells() keeps values that are not binned, and the labels of cells", async () => {
  const classes = Uint32Array.of(1, 0, 1);
  const cells = await tokensOf({ binning: "none", classes });
  const { values } = cells.tokens(Uint32Array.of(0), 0);
  assert.deepEqual([...values.subarray(1)], CELL.filter((value) => value > 0));
  assert.deepEqual(cells.classes, classes);
  assert.equal(cells.batchLabels, undefined);
  await assert.rejects(
    tokensOf({ batchLabels: new Uint32Array(2) }),
    /batchLabels must have a label for each of 3 cells: got 2/,
  );
});

Deno.test("joinCells() puts sets one after another", async () => {
  const a = await tokensOf({ classes: Uint32Array.of(0, 1, 2) });
  const b = await tokensOf({ classes: Uint32Array.of(3, 4, 5), batchLabels: new Uint32Array(3) });
  const both = joinCells([a, b]);
  assert.equal(both.nCells, 6);
  assert.deepEqual(both.keys, [...a.keys, ...b.keys]);
  assert.deepEqual(both.classes, Uint32Array.of(0, 1, 2, 3, 4, 5));
  assert.equal(both.batchLabels, undefined, "one of them has none");
  const { ids, offsets, cells } = both.tokens(Uint32Array.of(4, 0), 0);
  assert.deepEqual(cells, Uint32Array.of(4, 0));
  assert.deepEqual(ids.slice(0, offsets[1]), b.tokens(Uint32Array.of(1), 0).ids);
  assert.deepEqual(ids.slice(offsets[1]), a.tokens(Uint32Array.of(0), 0).ids);
});

Deno.test("tokenizeCells() has a digest that tells other genes, values and orders apart", async () => {
  const { digest } = await tokensOf();
  assert.equal((await tokensOf()).digest, digest);
  const mapping = await mapGenes(ADATA.var, VOCAB, {});
  const fewer = { ...mapping, ids: mapping.ids.with(3, -1) };
  const others = [
    await tokensOf({ mapping: fewer }),
    await tokensOf({ binning: "none" }),
    joinCells([await tokensOf(), await tokensOf()]),
  ];
  assert.equal(new Set([digest, ...others.map((cells) => cells.digest)]).size, 4);
});
