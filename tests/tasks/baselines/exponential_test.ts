import assert from "node:assert/strict";
import { expOfMinus } from "../../../tasks/baselines/exponential.ts";

Deno.test("expOfMinus() is Math.exp within 4e-16, and ends in zeros", () => {
  for (let i = 0; i < 20_000; i++) {
    const x = i < 10_000 ? i / 9973 : (i - 9999) * 0.0689;
    const wanted = Math.exp(-x);
    assert.ok(Math.abs(expOfMinus(x) - wanted) <= 4e-16 * wanted, `${x}`);
  }
  assert.deepEqual([expOfMinus(0), expOfMinus(690), expOfMinus(Infinity)], [1, 0, 0]);
  assert.ok(Number.isNaN(expOfMinus(NaN)));
});
