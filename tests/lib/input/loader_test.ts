import assert from "node:assert/strict";
import { AnnData, csrMatrix, DataFrame, denseMatrix, type Matrix } from "../../../data/mod.ts";
import { loadBatches, type LoadOptions } from "../../../lib/input/loader.ts";
import { mapGenes } from "../../../lib/input/genes.ts";
import type { PackedBatch } from "../../../lib/input/packed_batch.ts";
import { Tokenizer } from "../../../lib/input/tokenizer.ts";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { recordBits } from "../../parity/ledger.ts";
import { fixturePath, readFixture, readJson, rowOf } from "../fixtures.ts";

const vocab = GeneVocab.fromJson(
  Deno.readTextFileSync(fixturePath("scgpt/small_checkpoint/vocab.json")),
);
const recorded = await readFixture("scgpt/small_embed/embed.safetensors");
const GENES: string[] = readJson("scgpt/small_embed/embed.json").gene_names;
const CONFIG = { nBins: 51, maxSeqLen: 64, padValue: -2 };
const CLS = 198, PAD = 197;

/** The cells of the reference's embed_data run. */
function cells(
  rows = Array.from({ length: 20 }, (_, i) => i),
  parts: { X?: Matrix } = {},
): AnnData {
  const X = Float32Array.from(rows.flatMap((row) => [...rowOf(recorded("X"), row)]));
  return AnnData.fromParts({
    X: denseMatrix(X, [rows.length, GENES.length]),
    obs: new DataFrame({ index: rows.map((row) => `cell${row}`) }),
    var: new DataFrame({ index: GENES }),
    ...parts,
  });
}

async function collect(adata: AnnData, options: Partial<LoadOptions> = {}): Promise<PackedBatch[]> {
  const batches: PackedBatch[] = [];
  for await (const batch of loadBatches(adata, { vocab, config: CONFIG, ...options })) {
    batches.push(batch);
  }
  return batches;
}

/** Tokens of each cell by its name, as text. */
function tokensByCell(adata: AnnData, batches: readonly PackedBatch[]): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const { ids, values, offsets, cells } of batches) {
    cells.forEach((row, b) => {
      const own = [offsets[b]!, offsets[b + 1]!] as const;
      tokens.set(adata.obsNames[row]!, `${ids.subarray(...own)}|${values.subarray(...own)}`);
    });
  }
  return tokens;
}

Deno.test("Tokenizer makes the tokens that the reference's embed_data feeds the model", async () => {
  const { ids, occurrences } = await mapGenes(new DataFrame({ index: GENES }), vocab);
  const tokenizer = new Tokenizer({
    genes: { ids, occurrences },
    cls: { id: CLS, value: -2 },
    maxLength: 1200,
    nBins: 51,
    binning: "reference",
    includeZeroGenes: false,
  });
  const uniforms = recorded("bin_uniforms").values, starts = recorded("bin_uniform_offsets").values;
  const pairs = (ids: ArrayLike<number>, values: ArrayLike<number>) =>
    Array.from(ids, (id, at) => `${id}:${values[at]}`).filter((pair) => pair !== `${PAD}:-2`)
      .sort();
  for (let cell = 0; cell < 20; cell++) {
    const row = rowOf(recorded("X"), cell);
    const indices = Uint32Array.from(row.keys()).filter((column) => row[column] !== 0);
    const known = indices.filter((column) => ids[column]! >= 0); // the reference drops the others first
    const tokens = tokenizer.tokenize(
      { indices, data: Float32Array.from(indices, (column) => row[column]!) },
      {
        uniform: (column) => uniforms[starts[cell]! + known.indexOf(column)]!,
        choose: () => assert.fail("nothing is sampled"),
      },
    );
    const batch = `batch${Math.floor(cell / 8)}`, at = cell % 8;
    const fed = pairs(rowOf(recorded(`${batch}.gene`), at), rowOf(recorded(`${batch}.expr`), at));
    const ours = pairs(tokens.ids, tokens.values);
    assert.equal(fed.length, Math.min(ours.length, 64));
    for (const pair of fed) { // torch's choice of 63 genes was not recorded
      const found = ours.indexOf(pair);
      assert.ok(found >= 0, `cell ${cell}: ${pair}`);
      ours.splice(found, 1);
    }
  }
  await recordBits("small_embed", "tokens of each cell", "lib/input/tokenizer.ts");
});

Deno.test("loadBatches() packs cells in order up to the budget", async () => {
  const batches = await collect(cells(), { batchTokens: 200 });
  assert.deepEqual(batches.flatMap((batch) => [...batch.cells]), [...Array(20).keys()]);
  for (const [i, { ids, values, offsets }] of batches.entries()) {
    assert.ok(ids.length <= 200);
    assert.deepEqual([values.length, offsets.at(-1)], [ids.length, ids.length]);
    const next = batches[i + 1];
    if (next !== undefined) assert.ok(ids.length + next.offsets[1]! > 200); // none could take one more
    for (let b = 0; b + 1 < offsets.length; b++) {
      assert.equal(ids[offsets[b]!], CLS);
      assert.equal(values[offsets[b]!], -2);
      assert.ok(offsets[b + 1]! - offsets[b]! <= 64);
    }
  }
  const single = await collect(cells(), { batchTokens: 1 }); // each cell is longer than that
  assert.ok(single.every((batch) => batch.cells.length === 1));
});

Deno.test("loadBatches() gives a cell the same tokens in any order, shard and batch", async () => {
  const all = cells(), whole = tokensByCell(all, await collect(all));
  const shuffled = cells([13, 2, 19, 7, 0]);
  for (const batchTokens of [1, 100, 10_000]) {
    const part = tokensByCell(shuffled, await collect(shuffled, { batchTokens }));
    assert.equal(part.size, 5);
    for (const [name, tokens] of part) assert.equal(tokens, whole.get(name));
  }
  const other = tokensByCell(all, await collect(all, { seed: 1 }));
  assert.notDeepEqual(other, whole);
});

Deno.test("loadBatches() does not depend on the seed when deterministic and unsampled", async () => {
  const options = { binning: "deterministic", maxLength: 1200 } as const;
  assert.deepEqual(
    await collect(cells(), { ...options, seed: 1 }),
    await collect(cells(), { ...options, seed: 2 }),
  );
});

Deno.test("loadBatches() gives <cls> alone for an empty cell, and nothing for no cells", async () => {
  const empty = (n: number) =>
    csrMatrix({
      indptr: new Uint32Array(n + 1),
      indices: new Uint32Array(0),
      data: new Float32Array(0),
      shape: [n, GENES.length],
    });
  const [batch] = await collect(cells([0, 1], { X: empty(2) }));
  assert.deepEqual([...batch!.ids], [CLS, CLS]);
  assert.deepEqual([...batch!.values], [-2, -2]);
  assert.deepEqual([...batch!.offsets], [0, 1, 2]);
  assert.deepEqual(await collect(cells([], { X: empty(0) })), []);
});

Deno.test("loadBatches() reads the layer that is named", async () => {
  const adata = cells();
  const doubled = Float32Array.from(recorded("X").values, (value) => 2 * value);
  const layered = AnnData.fromParts({
    obs: adata.obs,
    var: adata.var,
    layers: { counts: denseMatrix(doubled, [20, GENES.length]) },
    raw: { X: adata.X!, var: adata.var, varm: adata.varm },
  });
  const wanted = await collect(adata);
  assert.deepEqual(await collect(layered, { layer: "counts" }), wanted); // bins do not see scale
  assert.deepEqual(await collect(layered, { layer: "raw" }), wanted);
  await assert.rejects(collect(layered), /the layer must be one of raw, counts: got "X"/);
});

Deno.test("loadBatches() refuses scaled data, other mappings and unknown options", async () => {
  const values = new Float32Array(2 * GENES.length);
  values[GENES.length + 1] = -0.5;
  const scaled = cells([4, 5], { X: denseMatrix(values, [2, GENES.length]) });
  await assert.rejects(
    collect(scaled),
    /must be >= 0: got -0\.5 in cell cell5, gene G0028; scaled/,
  );
  const mapping = { ids: Int32Array.of(0), occurrences: new Uint8Array(1) };
  await assert.rejects(
    collect(cells(), { mapping }),
    /mapping must have the 120 columns of X: got 1/,
  );
  await assert.rejects(collect(cells(), { maxlength: 5 } as object), /did you mean "maxLength"\?/);
  await assert.rejects(
    collect(cells(), { batchTokens: 0 }),
    /batchTokens must be at least 1: got 0/,
  );
});

Deno.test("loadBatches() closes the source on break and stops on abort", async () => {
  let closed = 0;
  const inner = cells().X!;
  const X: Matrix = {
    shape: inner.shape,
    format: inner.format,
    dtype: inner.dtype,
    dense: inner.dense,
    async *rows(options) {
      try {
        yield* inner.rows({ ...options, batch: 2 });
      } finally {
        closed++;
      }
    },
  };
  const adata = cells(undefined, { X });
  const options = { vocab, config: CONFIG, batchTokens: 1 };
  for await (const _ of loadBatches(adata, options)) break;
  assert.equal(closed, 1);

  const controller = new AbortController();
  const reason = new Error("stop now");
  await assert.rejects(async () => {
    for await (const _ of loadBatches(adata, { ...options, signal: controller.signal })) {
      controller.abort(reason);
    }
  }, reason);
  assert.equal(closed, 2);
});
