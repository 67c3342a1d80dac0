import assert from "node:assert/strict";
import { chiSquareSurvival } from "../../../tasks/metrics/chi_square.ts";
import { CHI_SQUARE } from "./cells.ts";

Deno.test("chiSquareSurvival() gives scipy's chi2.sf however small", () => {
  for (const [statistic, df, expected] of CHI_SQUARE) {
    const p = chiSquareSurvival(statistic, df);
    assert.ok(
      Math.abs(p - expected) <= 1e-11 * expected,
      `chi2(${statistic}, ${df}): ${p} is not ${expected}`,
    );
  }
});

Deno.test("chiSquareSurvival() ends at 1 and 0 and refuses what is out of range", () => {
  assert.equal(chiSquareSurvival(0, 3), 1);
  assert.equal(chiSquareSurvival(Infinity, 3), 0);
  assert.throws(() => chiSquareSurvival(-1, 3), RangeError);
  assert.throws(() => chiSquareSurvival(1, 0), /got 1 and 0/);
  assert.throws(() => chiSquareSurvival(NaN, 1), RangeError);
});
