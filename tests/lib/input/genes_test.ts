import assert from "node:assert/strict";
import { CategoricalColumn, DataFrame, NumericColumn, StringColumn } from "../../../data/mod.ts";
import { mapGenes } from "../../../lib/input/genes.ts";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { fixturePath, readJson } from "../fixtures.ts";

const vocab = GeneVocab.fromNames(["CD3D", "ACTB", "TP53"]);
const ENSEMBL = ["ENSG00000167286", "ENSG00000075624.17", "ENSG00000000003"];

Deno.test("mapGenes() finds the reference's genes, with an unknown and a duplicate one", async () => {
  const { gene_names, vars_left } = readJson("scgpt/small_embed/embed.json");
  const small = GeneVocab.fromJson(
    Deno.readTextFileSync(fixturePath("scgpt/small_checkpoint/vocab.json")),
  );
  const { ids, occurrences, report } = await mapGenes(new DataFrame({ index: gene_names }), small);
  assert.equal(report.matched, vars_left);
  assert.deepEqual(report, {
    column: "index",
    total: 120,
    matched: 119,
    coverage: 119 / 120,
    missing: 1,
    missingNames: ["NOT_A_GENE"],
    duplicates: ["G0127"],
    notes: [],
  });
  assert.deepEqual([...ids.subarray(10, 15)], [147, -1, 127, 127, 31]);
  assert.deepEqual([...occurrences.subarray(10, 15)], [0, 0, 0, 1, 0]);
});

Deno.test("mapGenes() takes a column of symbols when the index holds Ensembl ids", async () => {
  const symbols = CategoricalColumn.from(["CD3D", "ACTB", null]);
  const frame = new DataFrame({ index: ENSEMBL, columns: { feature_name: symbols } });
  const { ids, report } = await mapGenes(frame, vocab);
  assert.deepEqual([...ids], [0, 1, -1]);
  assert.equal(report.column, "feature_name");
  assert.match(
    report.notes[0]!,
    /Ensembl ids, so gene symbols come from var column "feature_name"/,
  );
});

Deno.test("mapGenes() takes the column that is named", async () => {
  const columns = {
    mine: new StringColumn(["TP53", "x", "y"]),
    n: new NumericColumn(Float32Array.of(1, 2, 3)),
  };
  const frame = new DataFrame({ index: ["CD3D", "ACTB", "TP53"], columns });
  assert.deepEqual([...(await mapGenes(frame, vocab, { geneColumn: "mine" })).ids], [2, -1, -1]);
  assert.deepEqual([...(await mapGenes(frame, vocab, { geneColumn: "index" })).ids], [0, 1, 2]);
  await assert.rejects(
    mapGenes(frame, vocab, { geneColumn: "n" }),
    /column "n" must hold text: got 1/,
  );
  await assert.rejects(mapGenes(frame, vocab, { geneColumn: "other" }), RangeError);
});

Deno.test("mapGenes() refuses names of another kind with advice", async () => {
  const refused = (index: string[], message: RegExp) =>
    assert.rejects(mapGenes(new DataFrame({ index }), vocab), (error: unknown) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, /some gene must be in the vocabulary: got 0 of 3 by index/);
      assert.match(error.message, message);
      return true;
    });
  await refused(ENSEMBL, /these are Ensembl ids: add gene symbols/);
  await refused(["Cd8a", "Xkr4", "Sox17"], /look like mouse genes/);
  await refused(["cd3d", "actb", "tp53"], /in the vocabulary in upper case/);
  await refused(["1", "2", "3"], /name the column of var with gene symbols/);
});

Deno.test("mapGenes() refuses too small a coverage", async () => {
  const frame = new DataFrame({ index: ["CD3D", "P1", "P2", "P3", "P4", "P5"] });
  await assert.rejects(mapGenes(frame, vocab), /20 % of the genes must be .*: got 1 of 6/);
  assert.equal((await mapGenes(frame, vocab, { minCoverage: 0.1 })).report.matched, 1);
  await assert.rejects(
    mapGenes(frame, vocab, { minCoverage: 2 }),
    /minCoverage must be in \[0, 1\]/,
  );
});
