import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import type { ScGPT } from "../../../lib/model/scgpt.ts";
import { TrainingError } from "../../../lib/train/errors.ts";
import { fit } from "../../../lib/train/fit.ts";
import type { FitEpoch, FitEvent, FitOptions } from "../../../lib/train/fit_options.ts";
import { FolderStore } from "../../../lib/train/folder_store_deno.ts";
import { cls, dar } from "../../../lib/train/objectives/cells.ts";
import { gep } from "../../../lib/train/objectives/expression.ts";
import { MemoryStore } from "../../../lib/train/snapshot.ts";
import { TempFolder } from "../../data/fixtures.ts";
import {
  bitsOfModel,
  type Outcome,
  type RecipeName,
  runSmall,
  smallCells,
  smallModel,
  timeless,
} from "./small_run.ts";

const stepsOf = ({ events }: Outcome) => events.filter((event) => event.kind === "step");
const epochsOf = ({ events }: Outcome) => events.filter((event) => event.kind === "epoch");

function assertSameRun(found: Outcome, expected: Outcome): void {
  assert.deepEqual(found.weights, expected.weights);
  assert.deepEqual(timeless(found.events), timeless(expected.events));
}

/** A run that is stopped after some steps, each time taken up on a new device and model. */
async function runInParts(recipe: RecipeName, stops: readonly number[], threads = 1) {
  using folder = new TempFolder();
  const events: FitEvent[] = [];
  for (const stopAt of [...stops, undefined]) {
    const store = new FolderStore(folder.path);
    const stop = stopAt !== undefined && { stopAt };
    const part = await runSmall(recipe, { store, resume: true, threads, ...stop });
    if (stopAt === undefined) {
      assert.equal(part.error, undefined);
      return { ...part, events: [...events, ...part.events.slice(1)] };
    }
    assert.match(String(part.error), /stopped/);
    assert.equal(part.events.at(-1)?.kind, "checkpoint");
    events.push(...events.length === 0 ? part.events : part.events.slice(1));
  }
  throw new Error("not reached");
}

for (const recipe of ["full", "lora", "generative"] as const) {
  Deno.test(`fit() ends with the same bits when it is stopped and resumed: ${recipe}`, async () => {
    const whole = await runSmall(recipe);
    assert.equal(whole.error, undefined);
    const perEpoch = stepsOf(whole).length / 3;
    assert.equal(stepsOf(whole).at(-1)?.step, 3 * perEpoch);
    assertSameRun(await runInParts(recipe, [1, 2, perEpoch + 2]), whole);
    assertSameRun(await runInParts(recipe, [perEpoch, 2 * perEpoch, 3 * perEpoch - 1]), whole);
  });
}

Deno.test("fit() ends with the same bits on one thread and on two", async () => {
  const one = await runSmall("full", { threads: 1 });
  assertSameRun(await runSmall("full", { threads: 2 }), one);
  assertSameRun(await runInParts("full", [4], 2), one);
});

Deno.test("fit() ends with the same bits however often it saves", async () => {
  const plain = await runSmall("full");
  const saving = await runSmall("full", { saveEvery: 1, store: new MemoryStore() });
  assertSameRun(saving, plain);
  assert.equal(
    saving.events.filter(({ kind }) => kind === "checkpoint").length,
    stepsOf(plain).length + 3,
  );
});

Deno.test("fit() in micro-batches moves the weights as in one batch", async () => {
  // Adam divides a gradient by its size, which makes much of the noise of a gradient that is 0, unless eps is larger.
  const optimizer = { eps: 1 }, lr = 0.1;
  const whole = await runSmall("generative", { optimizer, lr, microBatch: 6 });
  const parts = await runSmall("generative", { optimizer, lr, microBatch: 2 });
  const start = await runSmall("generative", { optimizer, lr: 1e-30 });
  let moved = 0;
  for (const [name, bits] of whole.weights) {
    const [expected, found, first] = [bits, parts.weights.get(name)!, start.weights.get(name)!]
      .map((bits) => new Float32Array(bits.buffer as ArrayBuffer)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0.1);
    expected.forEach((value, i) => {
      moved = Math.max(moved, Math.abs(value - first[i]!));
      assert.ok(Math.abs(value - found[i]!) <= 1e-5 * largest, `${name}: ${found[i]}, ${value}`);
    });
  }
  assert.ok(moved > 0.01, `the weights moved by ${moved}`);
  for (const [i, { losses, gradientNorm }] of stepsOf(whole).entries()) {
    const other = stepsOf(parts)[i]!;
    assert.ok(Math.abs(other.gradientNorm / gradientNorm - 1) < 1e-4);
    for (const name of Object.keys(losses)) {
      assert.ok(Math.abs(other.losses[name]! / losses[name]! - 1) < 1e-4, name);
    }
  }
});

/** Runs cls() on the cells of {@linkcode smallCells}, or others. */
async function annotator(
  change: Partial<FitOptions> = {},
  cells = smallCells(),
): Promise<Outcome> {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, "annotate");
  const events: FitEvent[] = [];
  let error: unknown;
  try {
    const recipe = { objectives: [cls()], epochs: 4, batchSize: 8, lr: 3e-3, ...change };
    for await (const event of fit(model, cells, recipe)) events.push(event);
  } catch (cause) {
    error = cause;
  }
  return { events, weights: await bitsOfModel(model), error };
}

Deno.test("fit() learns what tells two classes apart", async () => {
  const run = await annotator({ epochs: 15, dropout: 0 });
  const epochs = epochsOf(run) as FitEpoch[];
  assert.ok(epochs.at(-1)!.train.cls! < 0.5 * epochs[0]!.train.cls!);
  const steps = stepsOf(run);
  assert.equal(steps[0]!.lr, 3e-3);
  assert.ok(Math.abs(steps.at(-1)!.lr - 3e-3 * 0.9 ** 14) < 1e-12);
});

Deno.test("fit() stops when the validation loss falls no more, and keeps the best weights", async () => {
  const losses = (run: Outcome) =>
    (epochsOf(run) as FitEpoch[]).map((one) => one.validation!.loss!);
  // A rate that is far too large lets the loss rise after a while.
  const recipe = { epochs: 40, lr: 0.05, schedule: { kind: "constant" }, patience: 2 } as const;
  const run = await annotator(recipe);
  const found = losses(run), best = found.indexOf(Math.min(...found));
  const end = run.events.at(-1)!;
  assert.deepEqual(end, {
    kind: "end",
    step: stepsOf(run).length,
    epoch: best,
    loss: found[best],
    early: true,
  });
  assert.equal(found.length, best + 1 + 2);
  const short = await annotator({ ...recipe, epochs: best + 1 });
  assert.deepEqual(run.weights, short.weights);
  const last = await annotator({ ...recipe, keepBest: false });
  assert.notDeepEqual(last.weights, run.weights);
  assert.deepEqual(losses(last), found);
});

Deno.test("fit() ends early again when it is resumed after that", async () => {
  const recipe = { epochs: 40, lr: 0.05, schedule: { kind: "constant" }, patience: 2 } as const;
  const store = new MemoryStore();
  const first = await annotator({ ...recipe, store });
  const again = await annotator({ ...recipe, store, resume: true });
  assert.deepEqual(again.events.map(({ kind }) => kind), ["start", "end"]);
  assert.deepEqual(again.events.at(-1), first.events.at(-1));
  assert.deepEqual(again.weights, first.weights);
});

Deno.test("fit() goes on longer than it was first told", async () => {
  const store = new MemoryStore();
  await annotator({ epochs: 2, store });
  const longer = await annotator({ epochs: 4, store, resume: true });
  const whole = await annotator({ epochs: 4 });
  assert.deepEqual(longer.weights, whole.weights);
});

Deno.test("fit() measures after each epoch", async () => {
  const measure = (_model: unknown, epoch: number) => Promise.resolve({ accuracy: epoch / 10 });
  const epochs = epochsOf(await annotator({ epochs: 2, measure })) as FitEpoch[];
  assert.deepEqual(epochs.map(({ measured }) => measured), [{ accuracy: 0 }, { accuracy: 0.1 }]);
});

Deno.test("fit() stops at a loss that is no number and names the last good state", async () => {
  using folder = new TempFolder();
  const store = new FolderStore(folder.path);
  // The first step of a warm-up has rate 0, the second one 1e30 / 2.
  const recipe = { lr: 1e30, schedule: { kind: "cosine", warmup: 2 }, saveEvery: 1 } as const;
  const { error, events } = await annotator({ ...recipe, store });
  assert.ok(error instanceof TrainingError);
  assert.equal(error.tag, "TrainingError");
  assert.equal(error.step, 2);
  assert.equal(error.checkpoint, `${folder.path}/last.safetensors`);
  assert.match(error.message, /must be finite: got .* at step 2; the last good state is \/.*last/);
  assert.equal(events.filter(({ kind }) => kind === "checkpoint").length, 1);
  const kept = (await store.load("last"))!;
  assert.equal(kept.state.step, 1);
  const resumed = await annotator({ ...recipe, store, resume: true });
  assert.equal((resumed.error as TrainingError).checkpoint, `${folder.path}/last.safetensors`);
});

for (const validation of [true, false]) {
  const where = validation ? "validation" : "the last cells, where nothing validates,";
  Deno.test(`fit() does not save weights that ${where} shows to be ruined`, async () => {
    const train = Uint32Array.from({ length: 8 }, (_, i) => i); // one step an epoch
    const split = { train, validation: validation ? Uint32Array.of(8, 9) : new Uint32Array() };
    const store = new MemoryStore();
    const { error } = await annotator({ lr: 1e30, split, store });
    assert.ok(error instanceof TrainingError);
    assert.match(error.message, /no checkpoint was saved before/);
    assert.equal(await store.load("last"), undefined);
    assert.equal(await store.load("best"), undefined);
  });
}

Deno.test("fit() refuses options that are unknown or out of range", async () => {
  const refused = async (change: object, message: RegExp) =>
    assert.match(String((await annotator(change)).error), message);
  await refused({ epoch: 3 }, /TypeError: Cannot train as the option "epoch" .* mean "epochs"/);
  await refused({ epochs: 0 }, /RangeError: Cannot train as epochs must be an integer >= 1: got 0/);
  await refused({ lr: NaN }, /RangeError: .*lr must be > 0: got NaN/);
  await refused({ dropout: 1 }, /RangeError: .*dropout must be in \[0, 1\): got 1/);
  await refused({ objectives: [] }, /RangeError: .*there must be an objective/);
  await refused({ objectives: [cls(), cls()] }, /RangeError: .*"cls" twice/);
  await refused({ objectives: [gep()] }, /RangeError: .*the prompt must hide some/);
  await refused({ optimizer: { beta: 1 } }, /TypeError: .*option "beta".*mean "betas"/);
  const none = new Uint32Array();
  await refused({ split: { train: none, validation: none } }, /cells to learn from: got none/);
  const far = Uint32Array.of(26);
  await refused({ split: { train: far, validation: none } }, /of rows below 26: got 26/);
});

Deno.test("fit() refuses cells whose labels are missing, too few or unknown, or of one batch", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using small = await smallModel(device, "annotate");
  using full = await smallModel(device, "full");
  const refused = async (model: ScGPT, change: object, message: RegExp) => {
    const cells = { ...smallCells(), ...change };
    await assert.rejects(fit(model, cells, { objectives: [cls()] }).next(), message);
  };
  const { classes: _, ...unlabelled } = smallCells();
  await assert.rejects(
    fit(small, unlabelled, { objectives: [cls()] }).next(),
    /RangeError: Cannot train as cls needs the class of each cell: got none/,
  );
  await refused(small, { classes: new Uint32Array(25) }, /the class of each cell of 26: got 25/);
  await refused(small, { classes: new Uint32Array(26).fill(2) }, /below the model's 2: got 2/);
  const batchLabels = new Uint32Array(26);
  await refused(
    full,
    { batchLabels },
    /RangeError: .*a norm for each batch \(dsbn\) tells batches apart, .*at least two: got 1/,
  );
  await refused(full, { batchLabels: batchLabels.map((_, i) => i % 3) }, /model's 2: got 2/);
  await assert.rejects(
    fit(small, smallCells(), { objectives: [dar()] }).next(),
    /RangeError: Cannot train as the model must have "dab" for dar: got cell,hidden,/,
  );
});

Deno.test("fit() trains where a class has one cell", async () => {
  const cells = smallCells();
  const classes = Uint32Array.from(cells.classes!, (_, cell) => cell === 7 ? 1 : 0);
  assert.equal((await annotator({ epochs: 1 }, { ...cells, classes })).error, undefined);
});

Deno.test("fit() refuses to take up a run of another recipe, and says what differs", async () => {
  const store = new MemoryStore();
  await annotator({ epochs: 1, store });
  const again = async (change: Partial<FitOptions>, cells = smallCells()) =>
    String((await annotator({ epochs: 2, store, resume: true, ...change }, cells)).error);
  assert.match(
    await again({ lr: 0.5, seed: 1 }),
    /RangeError: Cannot take up the run in memory \(last\) .* lr: got 0.5, saved 0.003; seed: got 1, saved 0; cells: /,
  );
  const other = smallCells();
  const classes = other.classes!.map((one) => 1 - one);
  assert.match(await again({}, { ...other, classes }), /saved one: cells: got /);
  assert.match(
    await again({}, { ...other, digest: 7 }),
    /saved one: tokens: got 7, saved nothing/,
  );
});

Deno.test("fit() gives the memory of a run back", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, "annotate");
  const before = device.memory.liveBuffers;
  for await (const _ of fit(model, smallCells(), { objectives: [cls()], epochs: 2 }));
  assert.equal(device.memory.liveBuffers, before);
  for await (const event of fit(model, smallCells(), { objectives: [cls()] })) {
    if (event.kind === "step") break;
  }
  assert.equal(device.memory.liveBuffers, before);
});
