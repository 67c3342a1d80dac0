import assert from "node:assert/strict";
import type { FitEvent } from "../../mod.ts";
import { TrainProgress } from "../../scripts/commands/train_progress.ts";

const START = {
  kind: "start",
  trainCells: 60,
  validationCells: 6,
  trainableNumbers: 1234,
  totalSteps: 4,
  doneSteps: 1,
} as const;
const step = (number: number): FitEvent => ({
  kind: "step",
  step: number,
  epoch: 0,
  cells: 30,
  tokens: 300,
  loss: 0.123456,
  losses: {},
  lr: 1,
  gradientNorm: 1,
  seconds: 1,
});
const EPOCH: FitEvent = {
  kind: "epoch",
  epoch: 1,
  step: 4,
  train: { loss: 0.5, cls: 0.5 },
  validation: { loss: 0.25, cls: 0.25 },
  measured: { accuracy: 0.9 },
  best: true,
};
const END: FitEvent = { kind: "end", step: 4, epoch: 1, loss: 0.25, early: true };

/** Shows events with a clock that each of them moves by so many seconds. */
function shown(events: readonly FitEvent[], secondsEach: number): string[] {
  const lines: string[] = [], { now } = performance;
  let clock = 0;
  performance.now = () => clock;
  try {
    const progress = new TrainProgress({ say: (line) => lines.push(line), terminal: false });
    for (const event of events) {
      progress.show(event);
      clock += secondsEach * 1000;
    }
  } finally {
    performance.now = now;
  }
  return lines;
}

Deno.test("TrainProgress says how a run begins, its epochs, and how it ends", () => {
  assert.deepEqual(shown([START, step(2), step(3), step(4), EPOCH, END], 1), [
    "training 1234 weights on 60 cells (6 validate), 4 steps, going on after step 1",
    "epoch 2: loss 0.5000, validation 0.2500, accuracy 0.9000 (best so far)",
    "trained 4 steps in 5 s, as the validation loss fell no more: weights of epoch 2, validation loss 0.2500",
  ]);
  const bare: FitEvent = { ...EPOCH, validation: undefined, measured: {}, best: false };
  const end: FitEvent = { ...END, loss: undefined, early: false };
  assert.deepEqual(shown([{ ...START, doneSteps: 0 }, bare, end], 2000), [
    "training 1234 weights on 60 cells (6 validate), 4 steps",
    "epoch 2: loss 0.5000",
    "trained 4 steps in 1 h 06 min: weights of epoch 2",
  ]);
});

Deno.test("TrainProgress says a line now and then, with speed and the time that is left", () => {
  assert.deepEqual(shown([START, step(2), step(3)], 11).slice(1), [
    "step 2 of 4: loss 0.1235 (2.73 cells/s, 22 s left)",
    "step 3 of 4: loss 0.1235 (2.73 cells/s, 11 s left)",
  ]);
  assert.deepEqual(shown([START, step(2), step(3)], 100).slice(1, 2), [
    "step 2 of 4: loss 0.1235 (0.300 cells/s, 3 min 20 s left)",
  ]);
});
