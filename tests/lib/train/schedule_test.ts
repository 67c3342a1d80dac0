import assert from "node:assert/strict";
import { checkSchedule, learningRate } from "../../../lib/train/schedule.ts";

const rates = (schedule: Parameters<typeof learningRate>[1], steps = 10) =>
  Array.from({ length: steps }, (_, i) => {
    const place = { step: i + 1, epoch: Math.floor(i / 4), totalSteps: steps };
    return Number(learningRate(1, schedule, place).toFixed(6));
  });

Deno.test("learningRate() of a cosine is transformers' get_cosine_schedule_with_warmup", () => {
  const expected = [
    0,
    0.333333,
    0.666667,
    1,
    0.950484,
    0.811745,
    0.61126,
    0.38874,
    0.188255,
    0.049516,
  ];
  assert.deepEqual(rates({ kind: "cosine", warmup: 3 }), expected);
  assert.deepEqual(rates({ kind: "cosine", warmup: 0.3 }), expected);
});

Deno.test("learningRate() decays by epochs, or not at all", () => {
  assert.deepEqual(
    rates({ kind: "step-decay", gamma: 0.5 }),
    [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25],
  );
  assert.deepEqual(rates({ kind: "constant" }, 3), [1, 1, 1]);
});

Deno.test("learningRate() of a cosine ends at 0 and stays there in a longer run", () => {
  const at = (step: number) =>
    learningRate(2, { kind: "cosine", warmup: 0 }, { step, epoch: 0, totalSteps: 4 });
  assert.deepEqual([at(1), at(5)], [2, 0]);
  assert.ok(at(9) >= 0);
});

Deno.test("checkSchedule() refuses what is out of range", () => {
  const refused = (schedule: unknown, message: RegExp) =>
    assert.throws(() => checkSchedule(schedule as never), message);
  refused({ kind: "step-decay", gamma: 0 }, /RangeError: .*gamma must be in \(0, 1\]: got 0/);
  refused({ kind: "cosine", warmup: -1 }, /RangeError: .*warmup must be >= 0: got -1/);
  refused({ kind: "cosine" }, /RangeError: .*warmup must be >= 0: got undefined/);
  refused({ kind: "linear" }, /constant, step-decay or cosine: got linear/);
});
