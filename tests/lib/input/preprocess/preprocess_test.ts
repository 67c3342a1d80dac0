import assert from "node:assert/strict";
import { AnnData, DataFrame, denseMatrix, type Matrix } from "../../../../data/mod.ts";
import { parseConfig } from "../../../../lib/config.ts";
import { loadBatches } from "../../../../lib/input/loader.ts";
import { preprocess } from "../../../../lib/input/preprocess/preprocess.ts";
import { GeneVocab } from "../../../../lib/input/vocab.ts";
import { recordBits } from "../../../parity/ledger.ts";
import { BATCH, cellsOf, recorded } from "./recorded.ts";

const RAW = cellsOf("X_raw");
const FILTER = { minGeneCounts: 3 };

/** The first ten cells, dense. */
async function tenCells(matrix: Promise<Matrix>) {
  return (await matrix).dense({ end: 10 });
}

function genesOf(run: string): number[] {
  return Array.from(recorded(`${run}.genes`).values);
}

Deno.test("preprocess() keeps the genes that the reference keeps", async () => {
  const hvg = { nTopGenes: 120 };
  const runs = {
    raw_seuratv3: preprocess(RAW, { ...FILTER, log1p: true, hvg }),
    raw_seuratv3_batch: preprocess(RAW, { ...FILTER, log1p: true, hvg: { ...hvg, batch: BATCH } }),
    nohvg: preprocess(RAW, { ...FILTER, log1p: true }),
    nolog: preprocess(RAW, FILTER),
    cell_ranger: preprocess(cellsOf("cell_ranger.X_in"), {
      ...FILTER,
      hvg: { ...hvg, flavor: "cell_ranger" },
    }),
  };
  for (const [run, result] of Object.entries(runs)) {
    const { adata, genes } = await result;
    assert.deepEqual([...genes], genesOf(run), run);
    assert.deepEqual(adata.varNames, genesOf(run).map((gene) => `G${gene}`), run);
    await recordBits(`preprocess/pipeline ${run}`, "kept genes", "lib/input/preprocess");
  }
});

Deno.test("preprocess() normalises bit-equal, and takes logarithms to the last bit but one", async () => {
  const { adata, layer } = await preprocess(RAW, { ...FILTER, log1p: true });
  assert.equal(layer, "X_log1p");
  // The reference without log1p: with it, its X_normed is overwritten.
  assert.deepEqual(await tenCells(adata.matrix("X_normed")), recorded("nolog.X_normed").values);
  const logs = await tenCells(adata.matrix("X_log1p"));
  recorded("nohvg.X_log1p").values.forEach((wanted, i) => {
    assert.ok(Math.abs(logs[i]! - wanted) <= 2 ** -23 * wanted);
  });
});

Deno.test("preprocess() normalises over the genes that were left before variable ones are chosen", async () => {
  const all = await preprocess(RAW, FILTER);
  const some = await preprocess(RAW, { ...FILTER, hvg: { nTopGenes: 120 } });
  const whole = await (await all.adata.matrix("X_normed")).dense();
  const part = await (await some.adata.matrix("X_normed")).dense();
  const { columns } = some.hvg!;
  columns.forEach((column, k) => assert.equal(part[5 * 120 + k], whole[5 * 360 + column]));
  assert.deepEqual(some.genes, columns.map((column) => all.genes[column]!));
});

Deno.test("preprocess() leaves out cells by their counts over the genes that stay", async () => {
  const { cells, adata } = await preprocess(RAW, {
    minGeneCounts: 3,
    minCellCounts: 1,
    hvg: { nTopGenes: 50, batch: BATCH },
  });
  assert.equal(cells.length, 119); // one simulated cell is empty
  assert.deepEqual(adata.obsNames, Array.from(cells, (cell) => `c${cell}`));
  assert.equal(adata.nVars, 50);
});

Deno.test("preprocess() writes scanpy's columns into var", async () => {
  const { adata } = await preprocess(RAW, { ...FILTER, hvg: { nTopGenes: 120, batch: BATCH } });
  assert.deepEqual([...adata.var.columns()].sort(), [
    "highly_variable",
    "highly_variable_nbatches",
    "highly_variable_rank",
    "means",
    "variances",
    "variances_norm",
  ]);
  const chosen = await adata.var.column("highly_variable", "boolean");
  assert.ok([...chosen.values()].every((one) => one === true));
});

Deno.test("preprocess() can scale to the median of totals, or not at all", async () => {
  const { adata } = await preprocess(RAW, { normalizeTotal: "median" });
  const values = await (await adata.matrix("X_normed")).dense({ end: 1 });
  const counts = Float64Array.from(recorded("X_raw").values);
  const totals = Array.from(
    { length: 120 },
    (_, cell) =>
      counts.subarray(cell * 400, (cell + 1) * 400).reduce((sum, value) => sum + value, 0),
  )
    .filter((total) => total > 0).sort((a, b) => a - b);
  const sum = values.reduce((all, value) => all + value, 0);
  assert.ok(Math.abs(sum / totals[59]! - 1) < 1e-6);
  const plain = await preprocess(RAW, { normalizeTotal: false });
  assert.equal(plain.layer, "X");
  assert.deepEqual(plain.adata.layers.keys(), []);
});

Deno.test("preprocess() prepares cells for the loader, whose bins no layer changes", async () => {
  const { adata, layer } = await preprocess(RAW, {
    ...FILTER,
    log1p: true,
    hvg: { nTopGenes: 120 },
  });
  const options = { vocab: GeneVocab.fromNames(adata.varNames), config: parseConfig("mini") };
  const ofLogs = await Array.fromAsync(loadBatches(adata, { ...options, layer }));
  const ofCounts = await Array.fromAsync(loadBatches(adata, options));
  assert.deepEqual(ofLogs, ofCounts);
  assert.equal(ofLogs.reduce((count, { cells }) => count + cells.length, 0), 120);
});

Deno.test("preprocess() refuses logarithms of logarithms, missing layers and unknown options", async () => {
  const X = denseMatrix(Float32Array.of(0.7, 0, 2.1, 1.4), [2, 2]);
  const logged = AnnData.fromParts({
    X,
    obs: new DataFrame({ index: ["c0", "c1"] }),
    var: new DataFrame({ index: ["G0", "G1"] }),
  });
  await assert.rejects(preprocess(logged, { log1p: true }), /X seems to hold them/);
  assert.equal((await preprocess(logged, { normalizeTotal: false })).kind, "logged");
  await assert.rejects(preprocess(RAW, { layer: "counts" }), RangeError);
  await assert.rejects(preprocess(RAW, { minGenesCounts: 3 } as object), /"minGeneCounts"/);
});
