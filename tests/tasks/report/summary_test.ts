import assert from "node:assert/strict";
import fc from "fast-check";
import { summarize } from "../../../tasks/report/summary.ts";

Deno.test("summarize() gives numpy's mean and std(ddof=1)", () => {
  const { mean, sd, min, max, n } = summarize([0.955, 0.946, 0.942]);
  assert.ok(Math.abs(mean - 0.9476666666666667) < 1e-15);
  assert.ok(Math.abs(sd - 0.006658328118479399) < 1e-15);
  assert.deepEqual([min, max, n], [0.942, 0.955, 3]);
});

Deno.test("summarize() keeps the mean between the ends", () => {
  const numbers = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1 });
  fc.assert(fc.property(numbers, (values) => {
    const { mean, sd, min, max } = summarize(values);
    assert.ok(min <= mean && mean <= max && sd >= 0 && sd <= max - min);
  }));
});

Deno.test("summarize() refuses what has no mean", () => {
  assert.throws(() => summarize([]), /got none/);
  assert.throws(() => summarize([1, NaN]), /got NaN/);
});
