import assert from "node:assert/strict";
import { AnnData, csrMatrix, DataFrame } from "../../data/mod.ts";
import { type Device, openWasmDevice } from "../../gpu/mod.ts";
import { freshModel, GeneVocab, parseConfig } from "../../lib/mod.ts";
import { generate } from "../../tasks/generate.ts";
import { attachGeneration, generatedCells, type Generation } from "../../tasks/generation.ts";
import { pretrain } from "../../tasks/pretrain.ts";
import { pretrainedInput, TrainedModel } from "../../tasks/trained.ts";
import { countedCells } from "./counted_cells.ts";

const GENES = Array.from({ length: 40 }, (_, i) => `G${i}`);
const KNOWN = GENES.filter((_, i) => i % 2 === 0);
const SIZES = { embsize: 16, nheads: 2, dHid: 16, nlayers: 1 };

/** Random weights with all heads of pretraining. */
async function fresh(device: Device, names = GENES): Promise<TrainedModel> {
  const config = parseConfig("mini", { ...SIZES, generative: true, mvc: true });
  const model = await freshModel(device, { config, vocab: GeneVocab.fromNames(names), seed: 3 });
  return new TrainedModel(model, { task: "pretrain", input: pretrainedInput(model) });
}

/** The numbers, without the report. */
function numbersOf({ report: _, ...rest }: Generation) {
  return rest;
}

/** The values of each cell by gene. */
function byGene({ genes, indptr, indices, values }: Generation): Record<string, number>[] {
  return Array.from({ length: indptr.length - 1 }, (_, cell) => {
    const own = indices.subarray(indptr[cell], indptr[cell + 1]);
    return Object.fromEntries(
      Array.from(own, (gene, i) => [genes[gene]!, values[indptr[cell]! + i]!]),
    );
  });
}

Deno.test("generate() finds what was held out better than both controls, after a pretraining", async () => {
  await using device = await openWasmDevice({ threads: 2 });
  const events = await Array.fromAsync(
    pretrain([countedCells({ cells: 480 })], device, {
      config: { ...SIZES, dropout: 0.1 },
      includeZeroGenes: true,
      validation: 0.1,
      cellPromptAfter: 20,
      fit: { epochs: 15, batchSize: 16, lr: 5e-3, schedule: { kind: "cosine", warmup: 0.1 } },
      seed: 1,
    }),
  );
  const last = events.at(-1)!;
  assert.ok(last.kind === "trained");
  using pretrained = last.pretrained;
  const query = countedCells({ seed: 9, cells: 40 });
  for (const prompt of ["gene", "both"] as const) {
    const { scores, truth } = await generate(query, pretrained, { holdOut: 0.5, prompt });
    assert.equal(scores!.values, 40 * 20);
    assert.equal(truth!.length, 40 * 20);
    const { pearson, pearsonShuffledCells, pearsonShuffledGenes, steps } = scores!;
    const found = `${prompt}: ${pearson}, ${pearsonShuffledCells}, ${pearsonShuffledGenes}`;
    assert.ok(pearson! > 0.3 && pearson! > pearsonShuffledCells! + 0.1, found);
    assert.ok(Math.abs(pearsonShuffledGenes!) < 0.1, found);
    const errors = steps.map(({ meanAbsoluteError }) => meanAbsoluteError);
    assert.ok(errors[0]! < Math.min(errors[1]!, errors[2]!), `the surest are not best: ${errors}`);
    assert.deepEqual(steps.map(({ values }) => values), [40 * 7, 40 * 7, 40 * 6]);
  }
});

Deno.test("generate() gives a cell the same bits in any batch and order", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device);
  const before = device.memory.liveBuffers;
  const query = countedCells({ seed: 4, cells: 12 });
  for (const given of [{ holdOut: 0.4 }, { known: KNOWN }] as const) {
    for (const confidence of ["agreement", "dropout"] as const) {
      const options = { ...given, confidence, prompt: "both" } as const;
      const whole = await generate(query, pretrained, options);
      const small = await generate(query, pretrained, { ...options, batchTokens: 50 });
      assert.deepEqual(numbersOf(small), numbersOf(whole));
      const order = [...Array(12).keys()].reverse();
      const turned = await generate(query.select({ obs: order }), pretrained, options);
      assert.deepEqual(byGene(turned).reverse(), byGene(whole));
    }
  }
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("generate() sees nothing of the genes that it is asked for", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device);
  const query = countedCells({ seed: 5, cells: 8 });
  const columns = [...GENES.keys()];
  const values = await query.X!.dense();
  const blanked = values.map((value, at) => at % 2 === 0 ? value : 0);
  const other = query.with({ X: csrOf(blanked, [8, 40]) });
  const panel = query.select({ var: columns.filter((column) => column % 2 === 0) });
  for (const prompt of ["gene", "cell"] as const) {
    const options = { prompt, steps: 2 } as const;
    const made = await generate(query, pretrained, { ...options, known: KNOWN });
    assert.deepEqual(
      numbersOf(await generate(other, pretrained, { ...options, known: KNOWN })),
      numbersOf(made),
    );
    const genes = GENES.filter((_, i) => i % 2 === 1);
    const unmeasured = await generate(panel, pretrained, { ...options, genes });
    assert.deepEqual(byGene(unmeasured), byGene(made));
    assert.deepEqual(unmeasured.genes, genes);
  }
});

function csrOf(values: Float32Array | Float64Array, [rows, width]: readonly [number, number]) {
  const places = [...values.keys()].filter((at) => values[at] !== 0);
  const indptr = new Uint32Array(rows + 1);
  for (const at of places) indptr[Math.floor(at / width) + 1]!++;
  for (let row = 0; row < rows; row++) indptr[row + 1]! += indptr[row]!;
  return csrMatrix({
    shape: [rows, width],
    indptr,
    indices: Uint32Array.from(places, (at) => at % width),
    data: Float32Array.from(places, (at) => values[at]!),
  });
}

Deno.test("generate() from a cell follows its known genes through the embedding alone", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device);
  const query = countedCells({ seed: 6, cells: 2 });
  const of = (prompt: "gene" | "cell" | "both") =>
    generate(query, pretrained, { known: KNOWN, prompt, steps: 1 });
  const cell = await of("cell"), [first, second] = byGene(cell);
  assert.notDeepEqual(first, second);
  assert.notDeepEqual(byGene(await of("gene")), byGene(cell));
  assert.notDeepEqual(byGene(await of("both")), byGene(cell));
});

Deno.test("generate() generates whole a cell without known genes, and takes a gene's first column", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device, ["A", "B", "C"]);
  const adata = AnnData.fromParts({
    X: csrOf(Float32Array.of(0, 3, 0, 9, 4, 3, 2, 1), [2, 4]),
    obs: new DataFrame({ index: ["empty", "full"] }),
    var: new DataFrame({ index: ["A", "B", "A", "C"] }),
  });
  const made = await generate(adata, pretrained, { known: ["A"], steps: 2 });
  assert.deepEqual(made.genes, ["B", "C"]);
  assert.deepEqual([...made.indptr], [0, 2, 4]);
  const written = await attachGeneration(adata, made, { key: "made" });
  const layer = await (await written.layers.need("made")).dense();
  assert.deepEqual([layer[0], layer[2], layer[4], layer[6]], [0, 0, 0, 0]);
  assert.deepEqual([layer[1], layer[3]], [...made.values.subarray(0, 2)]);
  const step = await (await written.layers.need("made_step")).dense();
  assert.deepEqual([...step.subarray(0, 4)].map(Boolean), [false, true, false, true]);
});

Deno.test("attachGeneration() and generatedCells() refuse and allow genes that the data lack", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device, [...GENES, "NEW"]);
  const query = countedCells({ cells: 3 });
  const made = await generate(query, pretrained, { genes: ["NEW", "G3"] });
  await assert.rejects(attachGeneration(query, made), /a column of the data: got "NEW"/);
  const manifest = { task: "generate" };
  const alone = generatedCells(query, made, { manifest });
  assert.deepEqual(alone.varNames, ["NEW", "G3"]);
  assert.deepEqual(alone.layers.keys(), [
    "scgpt_generated",
    "scgpt_generated_confidence",
    "scgpt_generated_step",
  ]);
  assert.deepEqual(await alone.uns.need("scgpt"), manifest);
  const values = await (await alone.layers.need("scgpt_generated")).dense();
  assert.deepEqual([...values], [...made.values]);
  const heldOut = await generate(query, pretrained, { holdOut: 0.5 });
  const attached = await attachGeneration(query, heldOut);
  const truth = await (await attached.layers.need("scgpt_generated_truth")).dense();
  assert.equal(truth.filter((bin) => bin > 0).length, heldOut.truth!.length);
});

Deno.test("generate() refuses what it cannot do", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using pretrained = await fresh(device);
  using plain = new TrainedModel(
    await freshModel(device, {
      config: parseConfig("mini", { ...SIZES, generative: false }),
      vocab: GeneVocab.fromNames(GENES),
      seed: 1,
    }),
    pretrained.description,
  );
  const query = countedCells({ cells: 3 });
  const run = (options: object) => generate(query, pretrained, options);
  await assert.rejects(run({}), /one of known, genes and holdOut must say what is given: got none/);
  await assert.rejects(run({ holdOut: 1 }), /holdOut must be in \(0, 1\): got 1/);
  await assert.rejects(run({ holdOut: 0.5, known: ["G1"] }), /draws the known genes: got known/);
  await assert.rejects(run({ known: ["NO"] }), /some known gene must be in the data and the model/);
  await assert.rejects(run({ known: GENES }), /some gene of the model must not be known/);
  await assert.rejects(run({ genes: ["G1", "NO"] }), /must know the genes to generate: got "NO"/);
  await assert.rejects(run({ genes: ["<cls>"] }), /must know the genes to generate: got "<cls>"/);
  await assert.rejects(
    run({ genes: ["G1"], known: ["G1"] }),
    /either known or generated: got G1/,
  );
  await assert.rejects(run({ holdOut: 0.5, prompt: "batch" }), /gene, cell or both: got "batch"/);
  await assert.rejects(run({ holdOut: 0.5, steps: 0 }), /steps must be an integer from 1 to 255/);
  await assert.rejects(run({ holdout: 0.5 }), /did you mean "holdOut"/);
  await assert.rejects(generate(query, plain, { holdOut: 0.5 }), /flag embedding of pretraining/);
  const signal = AbortSignal.abort();
  await assert.rejects(run({ holdOut: 0.5, signal }), { name: "AbortError" });
});
