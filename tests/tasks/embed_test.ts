import assert from "node:assert/strict";
import {
  AnnData,
  attachEmbedding,
  csrMatrix,
  DataFrame,
  denseMatrix,
  type Device,
  embed,
  EMBEDDING_KEY,
  embedEvents,
  type EmbedOptions,
  isMatrix,
  openH5ad,
  openWasmDevice,
  openWebGpuDevice,
  RandomStream,
  StringColumn,
  writeH5ad,
} from "../../mod.ts";
import { bitsOf, freshModel, geneVocab } from "../lib/model/fresh_model.ts";
import { TempFolder } from "../data/fixtures.ts";
import { bloodModel, openBlood, spreadRows } from "./blood_cells.ts";

const device = await openWasmDevice({ threads: 1 });
const model = await freshModel(device, { vocab: geneVocab(12) });
const D = model.config.embsize;
const GENES = geneVocab(12).names().slice(0, 12);

/** Cells with these counts, named cell0, cell1, … */
function cellsOf(rows: readonly (readonly number[])[], genes: readonly string[] = GENES): AnnData {
  return AnnData.fromParts({
    X: denseMatrix(Float32Array.from(rows.flat()), [rows.length, genes.length]),
    obs: new DataFrame({ index: rows.map((_, row) => `cell${row}`) }),
    var: new DataFrame({ index: genes }),
  });
}

/** Counts of one cell over the twelve genes. */
const CELL = [3, 0, 1, 5, 0, 0, 9, 2, 0, 0, 1, 4];
const EMPTY = new Array<number>(12).fill(0);

function rowBits(embeddings: Float32Array<ArrayBuffer>, row: number): Uint32Array {
  return bitsOf(embeddings.slice(row * D, (row + 1) * D));
}

// Invariance: real cells, every device.

const DEVICES: Readonly<Record<string, () => Promise<Device>>> = {
  "WASM, 1 thread": () => openWasmDevice({ threads: 1 }),
  "WASM, 2 threads": () => openWasmDevice({ threads: 2 }),
  "software WebGPU": () => openWebGpuDevice({ software: true }),
};

const required = Deno.env.get("CI") === "true";

for (const [name, open] of Object.entries(DEVICES)) {
  const probe = await open().catch((error: Error) => error);
  const missing = probe instanceof Error;
  if (missing) console.log(`embedding on ${name} is not tested: ${probe.message}`);
  else await probe[Symbol.asyncDispose]();
  Deno.test({
    name: `embed() gives a cell the same bits in any batch and order on ${name}`,
    ignore: missing && !required,
    fn: () => staysTheSame(open),
  });
}

async function staysTheSame(open: () => Promise<Device>): Promise<void> {
  await using opened = await open();
  using all = await openBlood();
  using blood = await bloodModel(opened, all);
  const cells = all.select({ obs: spreadRows(60) });
  const options = { layer: "raw", maxLength: 240, seed: 3 }; // half of the cells have more: sampling is in it
  const { embeddings, lengths, width } = await embed(cells, blood, {
    ...options,
    batchTokens: 20_000,
  });
  assert.ok(lengths.some((length) => length === 240) && lengths.some((length) => length < 240));
  const expected = bitsOf(embeddings);
  for (let row = 0; row < cells.nObs; row++) {
    const length = Math.hypot(...embeddings.subarray(row * width, (row + 1) * width));
    assert.ok(Math.abs(length - 1) < 1e-6, `cell ${row} has length ${length}`);
  }

  const small = await embed(cells, blood, { ...options, batchTokens: 2_000 });
  assert.deepEqual(bitsOf(small.embeddings), expected, "batchTokens 2,000");

  const order = shuffled(cells.nObs);
  const mixed = await embed(cells.select({ obs: order }), blood, {
    ...options,
    batchTokens: 3_000,
  });
  order.forEach((row, at) => {
    assert.deepEqual(rowBits(mixed.embeddings, at), rowBits(embeddings, row), `row ${row}`);
  });
  if (opened.info.kind === "wasm") (wasmBits ??= expected).forEach(sameAs(expected));
}

/** What the first WASM device gave; the number of threads changes no bit. */
let wasmBits: Uint32Array | undefined;

function sameAs(expected: Uint32Array): (bits: number, at: number) => void {
  return (bits, at) => assert.equal(bits, expected[at], `element ${at} depends on the threads`);
}

function shuffled(length: number): number[] {
  const random = new RandomStream(5, 9);
  const draws = Array.from({ length }, (_, row) => ({ row, draw: random.next() }));
  return draws.sort((a, b) => a.draw - b.draw).map(({ row }) => row);
}

// Special cells.

Deno.test("embed() keeps cells without expressed genes: <cls> alone, one vector for all", async () => {
  const { embeddings, lengths } = await embed(cellsOf([EMPTY, CELL, EMPTY]), model);
  assert.deepEqual([...lengths], [1, 8, 1]);
  assert.deepEqual(rowBits(embeddings, 2), rowBits(embeddings, 0));
  assert.notDeepEqual(rowBits(embeddings, 1), rowBits(embeddings, 0));
  using cls = model.embedCells({
    ids: Uint32Array.of(model.vocab.require("<cls>")),
    values: Float32Array.of(model.config.padValue),
    offsets: Uint32Array.of(0, 1),
  });
  const alone = await cls.data();
  const length = Math.hypot(...alone);
  alone.forEach((value, d) => assert.ok(Math.abs(value / length - embeddings[d]!) < 1e-6));
  const unknown = cellsOf([[0, 0, 7]], ["G0000", "G0001", "UNHEARD"]); // expressed, but in no vocabulary
  assert.deepEqual(rowBits((await embed(unknown, model)).embeddings, 0), rowBits(embeddings, 0));
});

Deno.test("embed() takes one cell and none", async () => {
  const one = await embed(cellsOf([CELL]), model);
  assert.equal(one.embeddings.length, D);
  const none = await embed(cellsOf([]), model);
  assert.equal(none.embeddings.length, 0);
  assert.equal(none.width, D);
  assert.equal(none.genes.matched, 12);
  assert.equal(none.values.rows, 0);
});

Deno.test("embed() counts each column of a duplicated gene and reports it", async () => {
  const genes = [...GENES.slice(0, 11), "G0000"];
  const { lengths, genes: report } = await embed(cellsOf([CELL], genes), model);
  assert.deepEqual(report.duplicates, ["G0000"]);
  assert.equal(lengths[0], 8);
});

Deno.test("embed() does not depend on the order of the genes", async () => {
  const adata = cellsOf([CELL, CELL.toReversed()]);
  const turned = adata.select({ var: [...GENES.keys()].reverse() });
  const options: EmbedOptions = { binning: "deterministic" };
  const one = await embed(adata, model, options), other = await embed(turned, model, options);
  one.embeddings.forEach((value, at) => {
    assert.ok(Math.abs(value - other.embeddings[at]!) < 1e-5, `element ${at}`);
  });
});

Deno.test("embed() finds symbols in feature_name beside Ensembl ids, with the same bits", async () => {
  const adata = cellsOf([CELL]);
  const ids = GENES.map((_, i) => `ENSG${String(i).padStart(11, "0")}`);
  const frame = new DataFrame({
    index: ids,
    columns: { feature_name: new StringColumn(GENES), other: new StringColumn(GENES) },
  });
  const expected = bitsOf((await embed(adata, model)).embeddings);
  const found = await embed(adata.with({ var: frame }), model);
  assert.equal(found.genes.column, "feature_name");
  assert.deepEqual(bitsOf(found.embeddings), expected);
  const named = await embed(adata.with({ var: frame }), model, { geneColumn: "other" });
  assert.deepEqual(bitsOf(named.embeddings), expected);
  await assert.rejects(
    embed(adata.with({ var: frame }), model, { geneColumn: "symbl" }),
    RangeError,
  );
});

Deno.test("embed() reads sparse and dense matrices, X, raw and layers alike", async () => {
  const dense = cellsOf([CELL, EMPTY]);
  const expected = bitsOf((await embed(dense, model)).embeddings);
  const kept = CELL.flatMap((value, column) => value === 0 ? [] : [column]);
  const X = csrMatrix({
    indptr: Uint32Array.of(0, kept.length, kept.length),
    indices: Uint32Array.from(kept),
    data: Float32Array.from(kept, (column) => CELL[column]!),
    shape: [2, 12],
  });
  const { obs, var: genes } = dense;
  const layered = AnnData.fromParts({ obs, var: genes, layers: { counts: X } });
  assert.deepEqual(
    bitsOf((await embed(layered, model, { layer: "counts" })).embeddings),
    expected,
  );
  assert.deepEqual(bitsOf((await embed(dense.with({ X }), model)).embeddings), expected);
});

// Faults.

interface Fault {
  readonly cells: AnnData;
  readonly options?: EmbedOptions;
  readonly kind: new (...args: never[]) => Error;
  readonly message: RegExp;
}

const withValue = (value: number) => cellsOf([CELL, CELL.map((own, g) => g === 3 ? value : own)]);

const FAULTS: Readonly<Record<string, Fault>> = {
  "an unknown option": {
    cells: cellsOf([CELL]),
    options: { batchToken: 5 } as EmbedOptions,
    kind: TypeError,
    message: /Cannot embed as the option "batchToken" is not known: did you mean "batchTokens"\?/,
  },
  "a negative value": {
    cells: withValue(-1),
    kind: RangeError,
    message: /Cannot use X as expression values must be >= 0: got -1 in cell cell1, gene G0003/,
  },
  "NaN": {
    cells: withValue(NaN),
    kind: RangeError,
    message: /values must be finite: got NaN in cell cell1, gene G0003/,
  },
  "an infinite value": {
    cells: withValue(Infinity),
    kind: RangeError,
    message: /values must be finite: got Infinity in cell cell1, gene G0003/,
  },
  "an absent X": {
    cells: AnnData.fromParts({
      obs: new DataFrame({ index: ["cell0"] }),
      var: new DataFrame({ index: GENES }),
    }),
    kind: RangeError,
    message: /the layer must be one of \(none is there\): got "X"/,
  },
  "a layer that does not exist": {
    cells: cellsOf([CELL]),
    options: { layer: "counts" },
    kind: RangeError,
    message: /the layer must be one of X: got "counts"/,
  },
  "genes of which none is in the vocabulary": {
    cells: cellsOf([[1, 2]], ["Xkr4", "Gm1992"]),
    options: { minCoverage: 0 },
    kind: RangeError,
    message: /some gene must be in the vocabulary: got 0 of 2 by index.*mouse genes/,
  },
  "too few genes in the vocabulary": {
    cells: cellsOf([CELL], GENES.map((name, i) => i < 5 ? name : `other${i}`)),
    options: { minCoverage: 0.5 },
    kind: RangeError,
    message: /50 % of the genes must be in the vocabulary: got 5 of 12 by index/,
  },
  "a coverage above 1": {
    cells: cellsOf([CELL]),
    options: { minCoverage: 2 },
    kind: RangeError,
    message: /minCoverage must be in \[0, 1\]: got 2/,
  },
  "a batch without room": {
    cells: cellsOf([CELL]),
    options: { batchTokens: 0 },
    kind: RangeError,
    message: /batchTokens must be at least 1: got 0/,
  },
  "a negative seed": {
    cells: cellsOf([CELL]),
    options: { seed: -1 },
    kind: RangeError,
    message: /a seed must be an integer from 0 to 2\^53-1: got -1/,
  },
};

for (const [name, { cells, options, kind, message }] of Object.entries(FAULTS)) {
  Deno.test(`embed() refuses ${name}`, async () => {
    const { liveBuffers } = device.memory;
    await assert.rejects(embed(cells, model, options), (error: unknown) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.equal(device.memory.liveBuffers, liveBuffers);
  });
}

Deno.test("embed() finds a bad value beyond the rows that it inspects first", async () => {
  const rows = Array.from({ length: 1_100 }, () => CELL);
  rows[1_050] = CELL.map((value) => -value);
  await assert.rejects(
    embed(cellsOf(rows), model, { batchTokens: 800 }),
    /got -3 in cell cell1050/,
  );
});

// The stream.

Deno.test("embedEvents() starts with genes and values and then counts the cells", async () => {
  const events = await Array.fromAsync(
    embedEvents(cellsOf([CELL, EMPTY, CELL]), model, { batchTokens: 9 }),
  );
  const [start, ...batches] = events;
  assert.ok(start?.type === "start");
  assert.deepEqual([start.cells, start.genes.coverage, start.values.kind], [3, 1, "counts"]);
  assert.deepEqual(
    batches.map((event) => event.type === "batch" && [[...event.rows], event.done]),
    [[[0, 1], 2], [[2], 3]],
  );
});

Deno.test("embedEvents() frees the device when the loop is left or stopped", async () => {
  const cells = cellsOf(Array.from({ length: 8 }, () => CELL));
  const { liveBuffers } = device.memory;
  for await (const event of embedEvents(cells, model, { batchTokens: 8 })) {
    if (event.type === "batch") break;
  }
  assert.equal(device.memory.liveBuffers, liveBuffers);
  const controller = new AbortController(), reason = new Error("stop now");
  await assert.rejects(async () => {
    const options = { batchTokens: 8, signal: controller.signal };
    for await (const event of embedEvents(cells, model, options)) {
      if (event.type === "batch") controller.abort(reason);
    }
  }, reason);
  assert.equal(device.memory.liveBuffers, liveBuffers);
});

Deno.test("embed() gives waiting events their turn between batches", async () => {
  const cells = cellsOf(Array.from({ length: 50 }, () => CELL));
  const controller = new AbortController(), reason = new Error("stop now");
  setTimeout(() => controller.abort(reason)); // as Ctrl-C or a button would
  await assert.rejects(
    embed(cells, model, { batchTokens: 8, signal: controller.signal }),
    reason,
  );
});

// Attaching and writing.

Deno.test("attachEmbedding() puts obsm X_scGPT into a file and leaves the rest alone", async () => {
  using folder = new TempFolder();
  const adata = cellsOf([CELL, EMPTY]);
  const result = await embed(adata, model);
  const path = folder.file("out.h5ad");
  await writeH5ad(attachEmbedding(adata, result, { task: "embed" }), path);
  using back = await openH5ad(path);
  const matrix = await back.obsm.need(EMBEDDING_KEY);
  assert.ok(isMatrix(matrix));
  assert.deepEqual(matrix.shape, [2, D]);
  assert.deepEqual(new Float32Array(await matrix.dense()), result.embeddings);
  assert.deepEqual(await back.X!.dense(), await adata.X!.dense());
  assert.deepEqual({ ...await back.uns.need("scgpt") as object }, { task: "embed" });
  assert.ok(!adata.obsm.has(EMBEDDING_KEY));
  assert.throws(
    () => attachEmbedding(adata.select({ obs: [0] }), result),
    /Cannot attach embeddings as there must be 1: got 2/,
  );
});

Deno.test("no cells make a file with an empty embedding", async () => {
  using folder = new TempFolder();
  const adata = cellsOf([]);
  const path = folder.file("none.h5ad");
  await writeH5ad(attachEmbedding(adata, await embed(adata, model)), path);
  using back = await openH5ad(path);
  assert.equal(back.nObs, 0);
  const matrix = await back.obsm.need(EMBEDDING_KEY);
  assert.ok(isMatrix(matrix));
  assert.deepEqual(matrix.shape, [0, D]);
});
