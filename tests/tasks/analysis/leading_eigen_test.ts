import assert from "node:assert/strict";
import { leadingEigen } from "../../../tasks/analysis/leading_eigen.ts";
import { assertClose } from "../fixtures.ts";

/** Multiplies by a diagonal matrix. */
function diagonal(values: readonly number[]): (v: Float64Array) => Float64Array {
  return (v) => v.map((value, at) => value * values[at]!);
}

Deno.test("leadingEigen() finds the largest values of a slowly falling spectrum", async () => {
  const spectrum = Array.from({ length: 400 }, (_, at) => 1 / (1 + at / 20));
  const settings = { size: 400, count: 5, seed: 1, tolerance: 1e-6 };
  const { values, vectors } = await leadingEigen(diagonal(spectrum), settings);
  assertClose(values, spectrum.slice(0, 5), 1e-10);
  for (let pair = 0; pair < 5; pair++) {
    assert.ok(Math.abs(Math.abs(vectors[pair * 400 + pair]!) - 1) < 1e-9);
  }
});

Deno.test("leadingEigen() finds equal values and stops at the rank", async () => {
  const settings = { size: 60, count: 5, seed: 1, tolerance: 1e-6 };
  const equal = [3, 3, 3, 2, 1, ...new Array<number>(55).fill(0.1)];
  assertClose((await leadingEigen(diagonal(equal), settings)).values, [3, 3, 3, 2, 1], 1e-10);
  const low = [3, 2, ...new Array<number>(58).fill(0)];
  assertClose((await leadingEigen(diagonal(low), settings)).values, [3, 2], 1e-10);
});

Deno.test("leadingEigen() with a narrow block tells apart values that lie close together", async () => {
  const spectrum = Array.from(
    { length: 300 },
    (_, at) => at < 3 ? 1 - at * 1e-3 : 0.9 * 0.99 ** at,
  );
  const settings = { size: 300, count: 3, seed: 1, tolerance: 1e-5, block: 1 };
  const { values } = await leadingEigen(diagonal(spectrum), settings);
  assertClose(values, spectrum.slice(0, 3), 1e-8);
});
