import assert from "node:assert/strict";
import { minimize } from "../../../tasks/baselines/lbfgs.ts";
import { assertClose } from "../fixtures.ts";

/** Σ scale (x - centre)². */
function bowl(scales: readonly number[], centre: readonly number[]) {
  return (x: Float64Array) => ({
    value: x.reduce((sum, value, at) => sum + scales[at]! * (value - centre[at]!) ** 2, 0),
    gradient: x.map((value, at) => 2 * scales[at]! * (value - centre[at]!)),
  });
}

Deno.test("minimize() reaches the bottom of an ill-conditioned bowl", async () => {
  const scales = [1, 10, 100, 1e4, 1e-2], centre = [1, -2, 3, -4, 5];
  const settings = { tolerance: 1e-9, maxSteps: 200 };
  const { x, value, converged } = await minimize(
    bowl(scales, centre),
    new Float64Array(5),
    settings,
  );
  assert.ok(converged && value < 1e-15);
  assertClose(x, centre, 1e-6);
});

Deno.test("minimize() stops after maxSteps and leaves the start alone", async () => {
  const from = new Float64Array(2);
  const { steps, converged } = await minimize(bowl([1, 1e6], [1, 1]), from, {
    tolerance: 0,
    maxSteps: 3,
  });
  assert.deepEqual([steps, converged, from], [3, false, new Float64Array(2)]);
});

Deno.test("minimize() stops when it is told to", async () => {
  const controller = new AbortController();
  const evaluate = (x: Float64Array) => {
    controller.abort();
    return bowl([1, 1e6], [1, 1])(x);
  };
  const settings = { tolerance: 0, maxSteps: 100, signal: controller.signal };
  await assert.rejects(minimize(evaluate, new Float64Array(2), settings), { name: "AbortError" });
});
