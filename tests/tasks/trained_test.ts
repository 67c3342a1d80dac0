import assert from "node:assert/strict";
import {
  annotate,
  type AnnotatorEvent,
  type ModelFiles,
  openDevice,
  trainAnnotator,
  type TrainAnnotatorOptions,
  type TrainedModel,
} from "../../mod.ts";
import { TempFolder } from "../data/fixtures.ts";
import { CELL, cellsOf, GENES } from "../scripts/cells_folder.ts";
import { bitsOf, freshFiles } from "../lib/model/fresh_model.ts";
import { loadTrained, parseTask } from "../../tasks/load_trained.ts";
import { saveTrained } from "../../tasks/trained_deno.ts";

/** Thirty cells; those of kind b have other genes. */
const CELLS = cellsOf(
  Array.from({ length: 30 }, (_, cell) => CELL.map((_, g) => CELL[(g + 5 * (cell % 2)) % 12]!)),
);

async function trained(
  device: Parameters<typeof trainAnnotator>[1],
  fit: TrainAnnotatorOptions["fit"],
): Promise<TrainedModel> {
  let last: AnnotatorEvent | undefined;
  const options: TrainAnnotatorOptions = {
    labelKey: "kind",
    nTopGenes: Infinity,
    config: { embsize: 16, nheads: 2, dHid: 16, nlayers: 2 },
    fit: { epochs: 2, batchSize: 8, ...fit },
  };
  for await (const event of trainAnnotator(CELLS, device, options)) last = event;
  assert.equal(last?.kind, "trained");
  return last.annotator;
}

for (const trainable of ["full", "lora"] as const) {
  Deno.test(`annotate() by a saved and loaded model gives the same bits: ${trainable}`, async () => {
    using folder = new TempFolder();
    await using device = await openDevice({ kind: "wasm", threads: 1 });
    using model = await trained(device, { trainable, lr: 0.01 });
    await saveTrained(folder.file("run"), model);
    const expected = await annotate(CELLS, model);
    using loaded = await loadTrained(folder.file("run"), device);
    assert.deepEqual(loaded.description, model.description);
    const found = await annotate(CELLS, loaded);
    assert.deepEqual(found.labels, expected.labels);
    assert.deepEqual(bitsOf(found.probabilities), bitsOf(expected.probabilities));
    // a page has the files in memory
    const files = Object.fromEntries(
      [...Deno.readDirSync(folder.file("run"))]
        .map(({ name }) => [name, Deno.readFileSync(`${folder.file("run")}/${name}`)]),
    );
    using inMemory = await loadTrained({ files }, device);
    assert.deepEqual(
      bitsOf((await annotate(CELLS, inMemory)).probabilities),
      bitsOf(expected.probabilities),
    );
  });
}

Deno.test("saveTrained() replaces a folder's model only when told", async () => {
  using folder = new TempFolder();
  await using device = await openDevice({ kind: "wasm", threads: 1 });
  using model = await trained(device, { epochs: 1 });
  await assert.rejects(saveTrained(folder.path, model), Deno.errors.AlreadyExists);
  await saveTrained(folder.path, model, { force: true });
  assert.equal([...Deno.readDirSync(folder.path)].length, 4);
});

const INPUT = {
  genes: GENES,
  clsValue: 0,
  maxLength: 13,
  binning: "reference",
  includeZeroGenes: false,
};
const TASK = { task: "annotate", input: INPUT, classes: ["a", "b"] };

Deno.test("loadTrained() says what is wrong with task.json", () => {
  const refused = (task: unknown, message: RegExp) =>
    assert.throws(() => parseTask(JSON.stringify(task)), (error) => {
      assert.match(String(error), message);
      return true;
    });
  assert.deepEqual(parseTask(JSON.stringify(TASK)), TASK);
  assert.throws(() => parseTask("{"), /SyntaxError: Cannot read task.json as it is not JSON/);
  refused([], /TypeError: .*the file must be an object: got \[\]/);
  refused({ ...TASK, task: 1 }, /TypeError: Cannot read task.json as task must be a string: got 1/);
  refused({ ...TASK, class: [] }, /TypeError: .*known keys \(classes\): got "class"/);
  refused({ ...TASK, classes: "ab" }, /TypeError: .*classes must be a list of strings: got "ab"/);
  refused({ ...TASK, classes: ["a", "a"] }, /RangeError: .*different names: got "a"/);
  refused({ task: "annotate" }, /TypeError: .*input must be an object: got nothing/);
  const input = (change: object) => ({ ...TASK, input: { ...INPUT, ...change } });
  refused(input({ genes: [1] }), /TypeError: .*input.genes must be a list of strings: got \[1\]/);
  refused(input({ clsValue: null }), /TypeError: .*input.clsValue must be a number: got null/);
  refused(input({ maxLength: 1 }), /RangeError: .*input.maxLength must be an integer >= 2: got 1/);
  refused(
    input({ binning: "exact" }),
    /RangeError: .*input.binning must be reference, deterministic, none: got "exact"/,
  );
  refused(input({ includeZeroGenes: 0 }), /TypeError: .*includeZeroGenes must be a boolean: got 0/);
});

Deno.test("loadTrained() refuses a task.json of another model, and a folder without one", async () => {
  await using device = await openDevice({ kind: "wasm", threads: 1 });
  const before = device.memory.liveBuffers;
  const { files } = await freshFiles({ config: { nCls: 2 } });
  const load = (task: object | undefined) =>
    loadTrained(
      {
        files: { ...files, ...task && { "task.json": new Blob([JSON.stringify(task)]) } },
      } satisfies ModelFiles,
      device,
    );
  await assert.rejects(load(undefined), /CheckpointError: .* must hold task.json: no such file/);
  await assert.rejects(
    load({ ...TASK, classes: ["a", "b", "c"] }),
    /RangeError: .*classes must be names of the model's 2 classes: got 3/,
  );
  await assert.rejects(
    load({ ...TASK, batches: ["x"] }),
    /RangeError: .*batches must be names of the model's 0 batches: got 1/,
  );
  await assert.rejects(
    load({ ...TASK, input: { ...INPUT, genes: ["CD4"] } }),
    /RangeError: .*input.genes must be words of vocab.json: got "CD4"/,
  );
  assert.equal(device.memory.liveBuffers, before);
  using loaded = await load(TASK);
  assert.deepEqual(loaded.description, TASK);
});
