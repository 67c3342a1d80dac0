import assert from "node:assert/strict";
import { AnnData, CategoricalColumn, DataFrame, denseMatrix } from "../../data/mod.ts";
import { type Device, openWasmDevice, RandomStream } from "../../gpu/mod.ts";
import {
  type BinningMode,
  freshModel,
  GeneVocab,
  type InputEmbStyle,
  parseConfig,
} from "../../lib/mod.ts";
import {
  annotate,
  type AnnotatorEvent,
  attachAnnotation,
  trainAnnotator,
  type TrainAnnotatorOptions,
} from "../../tasks/annotate.ts";
import type { TrainedModel } from "../../tasks/trained.ts";
import { countedCells } from "./counted_cells.ts";

const SMALL = {
  labelKey: "cell_type",
  config: { embsize: 16, nheads: 2, dHid: 16, nlayers: 1 },
  fit: { epochs: 4, batchSize: 8, lr: 3e-3 },
  seed: 1,
} as const satisfies TrainAnnotatorOptions;

async function trained(
  device: Device,
  options: TrainAnnotatorOptions = SMALL,
  cells = countedCells(),
): Promise<{ annotator: TrainedModel; events: AnnotatorEvent[] }> {
  const events = await Array.fromAsync(trainAnnotator(cells, device, options));
  const last = events.at(-1)!;
  assert.ok(last.kind === "trained");
  return { annotator: last.annotator, events };
}

Deno.test("trainAnnotator() learns two types of cells, and annotate() names others", async () => {
  await using device = await openWasmDevice({ threads: 2 });
  const options = { ...SMALL, fit: { epochs: 10, batchSize: 16, lr: 5e-3 } };
  const { annotator, events } = await trained(device, options, countedCells({ cells: 320 }));
  using _ = annotator;
  const [prepared] = events;
  assert.ok(prepared?.kind === "prepared");
  assert.deepEqual(prepared.classes, { A: 160, B: 160 });
  const query = countedCells({ seed: 2 });
  const { labels, confidence, probabilities, classes, panel } = await annotate(query, annotator);
  const right = labels.filter((label, i) => label === (i % 2 === 0 ? "A" : "B")).length;
  assert.ok(right >= 76, `${right} of 80`);
  assert.deepEqual(classes, ["A", "B"]);
  assert.equal(panel.coverage, 1);
  confidence.forEach((sure, i) =>
    assert.equal(sure, Math.max(probabilities[2 * i]!, probabilities[2 * i + 1]!))
  );
});

/** Twelve genes in one order of rank; cells of type "B" have three times the level of type "A". */
function levelCells(cells: number, seed: number): AnnData {
  const random = new RandomStream(seed, 78);
  const X = new Float32Array(12 * cells);
  const type = Array.from({ length: cells }, (_, cell) => cell % 2 === 0 ? "A" : "B");
  for (let i = 0; i < X.length; i++) {
    const cell = Math.floor(i / 12);
    X[i] = (1 + i % 12 / 12 + 0.02 * random.next()) * (type[cell] === "A" ? 0.5 : 1.5);
  }
  const index = Array.from({ length: cells }, (_, i) => `cell${seed}_${i}`);
  return AnnData.fromParts({
    X: denseMatrix(X, [cells, 12]),
    obs: new DataFrame({ index }).with("cell_type", CategoricalColumn.from(type)),
    var: new DataFrame({ index: Array.from({ length: 12 }, (_, i) => `G${i}`) }),
  });
}

Deno.test("trainAnnotator() without bins tells cells apart that differ in level alone", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const query = levelCells(40, 2);
  const right = async (binning: BinningMode, inputEmbStyle: InputEmbStyle) => {
    const { annotator } = await trained(device, {
      ...SMALL,
      config: { ...SMALL.config, inputEmbStyle },
      binning,
      nTopGenes: Infinity,
      fit: { epochs: 10, batchSize: 8, lr: 5e-3 },
    }, levelCells(80, 1));
    using _ = annotator;
    assert.equal(annotator.description.input.binning, binning);
    const { labels } = await annotate(query, annotator);
    return labels.filter((label, i) => label === (i % 2 === 0 ? "A" : "B")).length;
  };
  assert.equal(await right("none", "continuous"), 40);
  assert.equal(await right("none", "scaling"), 40);
  assert.equal(await right("deterministic", "continuous"), 20, "ranks are the same in all cells");
});

Deno.test("annotate() gives a cell the same bits in any batch, order and number of threads", async () => {
  await using one = await openWasmDevice({ threads: 1 });
  await using two = await openWasmDevice({ threads: 2 });
  const fast = { ...SMALL, fit: { ...SMALL.fit, epochs: 1 } };
  const a = await trained(one, fast), b = await trained(two, fast);
  using first = a.annotator, second = b.annotator;
  const query = countedCells({ seed: 3, cells: 30 });
  const whole = await annotate(query, first);
  assert.deepEqual(await annotate(query, second, { batchTokens: 60 }), whole);
  const order = [...Array(30).keys()].reverse();
  const turned = await annotate(query.select({ obs: order }), first, { batchTokens: 100 });
  assert.deepEqual(turned.labels, whole.labels.toReversed());
  assert.deepEqual(turned.confidence, whole.confidence.toReversed());
});

Deno.test("annotate() rejects cells that it is not sure of", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const { annotator } = await trained(device, { ...SMALL, fit: { ...SMALL.fit, epochs: 1 } });
  using _ = annotator;
  const { labels, confidence } = await annotate(countedCells({ seed: 4 }), annotator, {
    minConfidence: 0.9,
  });
  labels.forEach((label, i) => assert.equal(label === "unknown", confidence[i]! < 0.9));
});

Deno.test("trainAnnotator() leaves cells without a label out, and says so", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const cells = countedCells({ relabel: [null, null, "C"] });
  const { annotator, events } = await trained(
    device,
    { ...SMALL, fit: { ...SMALL.fit, epochs: 1 } },
    cells,
  );
  using _ = annotator;
  const [prepared] = events;
  assert.ok(prepared?.kind === "prepared");
  assert.equal(prepared.unlabelled, 2);
  assert.match(prepared.notes[0]!, /classes of one cell, .*: C$/);
  assert.deepEqual(annotator.description.classes, ["A", "B", "C"]);
});

Deno.test("trainAnnotator() begins with the weights of a pretrained model", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const vocab = GeneVocab.fromNames(Array.from({ length: 40 }, (_, i) => `G${i}`));
  const config = parseConfig({ embsize: 16, nheads: 2, dHid: 16, nlayers: 1 });
  using pretrained = await freshModel(device, { config, vocab, seed: 9 });
  const { config: _, ...rest } = SMALL;
  const options = { ...rest, pretrained, fit: { ...SMALL.fit, epochs: 1, lr: 1e-30 } };
  const { annotator } = await trained(device, options);
  using __ = annotator;
  const name = "transformer_encoder.layers.0.linear1.weight";
  assert.deepEqual(
    await annotator.model.parameters.get(name)!.data(),
    await pretrained.parameters.get(name)!.data(),
  );
});

Deno.test("trainAnnotator() frees its model where it is left early", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const before = device.memory.liveBuffers;
  for await (const event of trainAnnotator(countedCells(), device, SMALL)) {
    if (event.kind === "step") break;
  }
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("trainAnnotator() and annotate() refuse what they cannot do", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const train = (options: TrainAnnotatorOptions, cells = countedCells()) =>
    Array.fromAsync(trainAnnotator(cells, device, options));
  await assert.rejects(train({ ...SMALL, labelKey: "nothing" }), /nothing/);
  const one = countedCells({ relabel: Array(80).fill("A") });
  await assert.rejects(train(SMALL, one), /at least two classes: got 1/);
  await assert.rejects(train({ ...SMALL, epochs: 2 } as never), /"epochs" is not known/);
  const { annotator } = await trained(device, { ...SMALL, fit: { ...SMALL.fit, epochs: 1 } });
  using _ = annotator;
  const few = countedCells().select({ var: [0, 1, 2] });
  await assert.rejects(
    annotate(few, annotator),
    /50 % of the 40 that the model was trained on must be in the data: got 3 by index, missing such as G/,
  );
  await assert.rejects(
    annotate(countedCells(), annotator, { minConfidence: 2 }),
    /\[0, 1\]: got 2/,
  );
});

Deno.test("attachAnnotation() writes labels, confidences and probabilities", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const { annotator } = await trained(device, { ...SMALL, fit: { ...SMALL.fit, epochs: 1 } });
  using _ = annotator;
  const query = countedCells({ seed: 5, cells: 6 });
  const annotation = await annotate(query, annotator);
  const made = attachAnnotation(query, annotation, { key: "type" });
  const column = await made.obs.column("type");
  assert.deepEqual([...column.values()], annotation.labels);
  assert.ok(made.obsm.has("type_probabilities"));
  assert.deepEqual(made.obs.columns().slice(-2), ["type", "type_confidence"]);
});
