import assert from "node:assert/strict";
import type { FitEvent } from "../../../lib/train/fit_options.ts";
import { FolderStore } from "../../../lib/train/folder_store_deno.ts";
import { RunLog } from "../../../lib/train/run_log_deno.ts";
import { TempFolder } from "../../data/fixtures.ts";
import { runAndKill } from "./child.ts";
import { runSmall } from "./small_run.ts";

const START = {
  kind: "start",
  trainCells: 8,
  validationCells: 2,
  trainableNumbers: 50,
  totalSteps: 4,
  doneSteps: 0,
} as const;
const step = (number: number): FitEvent => ({
  kind: "step",
  step: number,
  epoch: Math.floor((number - 1) / 2),
  cells: 4,
  tokens: 40,
  loss: 1 / number,
  losses: { cls: 1 / number },
  lr: 0.1,
  gradientNorm: 2,
  seconds: 0.5,
});
const epoch = (number: number): FitEvent => ({
  kind: "epoch",
  epoch: number,
  step: 2 * number + 2,
  train: { loss: 1 },
  validation: { loss: 2 },
  measured: { accuracy: 0.5 },
  best: true,
});
const checkpoint = (step: number): FitEvent => ({ kind: "checkpoint", step, place: "here" });
const END: FitEvent = { kind: "end", step: 4, epoch: 1, loss: 2, early: false };
const WHOLE = [START, step(1), step(2), epoch(0), checkpoint(2), step(3), step(4), epoch(1), END];

async function logged(path: string, ...parts: (readonly FitEvent[])[]): Promise<unknown[]> {
  for (const events of parts) {
    const log = new RunLog(path);
    for (const event of events) await log.add(event);
  }
  return linesOf(path);
}

/** Lines without times. */
function linesOf(path: string): unknown[] {
  return Deno.readTextFileSync(`${path}/metrics.jsonl`).trimEnd().split("\n").map((line) => {
    const { time, seconds: _, ...rest } = JSON.parse(line);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 600_000);
    return rest;
  });
}

Deno.test("RunLog writes a line for start, steps, epochs and end", async () => {
  using folder = new TempFolder();
  const lines = await logged(folder.file("run"), WHOLE) as Record<string, unknown>[];
  assert.deepEqual(
    lines.map(({ kind }) => kind).join(" "),
    "start step step epoch step step epoch end",
  );
  assert.deepEqual(lines[1], withoutSeconds(step(1)));
  assert.deepEqual(lines[3], epoch(0));
});

function withoutSeconds(event: FitEvent): object {
  const { seconds: _, ...rest } = event as FitEvent & { seconds?: number };
  return rest;
}

Deno.test("RunLog of a run that was taken up is that of one that was not stopped", async () => {
  using folder = new TempFolder();
  const whole = await logged(folder.file("whole"), WHOLE);
  const resume = (doneSteps: number) => ({ ...START, doneSteps });
  const parts = {
    // stopped by a signal: the state is saved at once
    signal: [[START, step(1), checkpoint(1)], [resume(1), ...WHOLE.slice(2)]],
    // killed at step 4 with a state of step 2, from before or after the end of the epoch
    inEpoch: [WHOLE.slice(0, 7), [resume(2), ...WHOLE.slice(3)]],
    atEnd: [WHOLE.slice(0, 7), [resume(2), ...WHOLE.slice(4)]],
    // over, and taken up again
    over: [WHOLE, [resume(4), END]],
    // another run was here before
    fresh: [WHOLE.slice(0, 3), WHOLE],
  };
  for (const [name, events] of Object.entries(parts)) {
    assert.deepEqual(await logged(folder.file(name), ...events), whole, name);
  }
});

Deno.test("RunLog drops half a line", async () => {
  using folder = new TempFolder();
  await logged(folder.path, [START, step(1)]);
  const path = folder.file("metrics.jsonl");
  await Deno.writeTextFile(path, '{"kind":"step","st', { append: true });
  const whole = await logged(folder.file("whole"), [START, step(1), step(2)]);
  assert.deepEqual(await logged(folder.path, [{ ...START, doneSteps: 1 }, step(2)]), whole);
});

Deno.test("RunLog refuses events before the start", async () => {
  using folder = new TempFolder();
  await assert.rejects(
    new RunLog(folder.path).add(step(1)),
    /RangeError: Cannot log a run as its first event must be the start: got step/,
  );
});

Deno.test("RunLog writes an event file for each start", async () => {
  using folder = new TempFolder();
  await logged(folder.path, WHOLE.slice(0, 3));
  await new Promise((resolve) => setTimeout(resolve, 5)); // names tell milliseconds apart
  await logged(folder.path, [{ ...START, doneSteps: 2 }, step(3)]);
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => name !== "metrics.jsonl");
  assert.equal(names.length, 2);
  for (const name of names) assert.match(name, /^events\.out\.tfevents\.\d{13}\.scgpt$/);
});

Deno.test("fit() with FolderStore and RunLog ends as if its process had not been killed", async () => {
  using whole = new TempFolder();
  using killed = new TempFolder();
  const store = new FolderStore(whole.path);
  const { events } = await runSmall("full", { store, saveEvery: 2 });
  await logged(whole.path, events);
  const kills = [/^step 1$/m, /^step 3$/m, /^step 5$/m, /^checkpoint 8$/m, /^step 11$/m];
  for (const at of kills) {
    const child = await runAndKill("train_child.ts", [killed.path], (told) => at.test(told));
    assert.ok(child.killed);
  }
  const { told } = await runAndKill("train_child.ts", [killed.path], () => false);
  assert.match(told, /^start [1-9]/);
  for (const file of ["last.safetensors", "best.safetensors"]) {
    assert.deepEqual(await Deno.readFile(killed.file(file)), await Deno.readFile(whole.file(file)));
  }
  assert.deepEqual(linesOf(killed.path), linesOf(whole.path));
});
