import assert from "node:assert/strict";
import { denseMatrix } from "../../../../data/mod.ts";
import { log1p, medianTotal, normalizeTotal } from "../../../../lib/input/preprocess/normalize.ts";

/** One dense row as sparse rows. */
function row(data: Float32Array | Float64Array) {
  return { nRows: 1, indptr: Uint32Array.of(0, data.length), data };
}

Deno.test("normalizeTotal() computes in the precision of the values", () => {
  const counts = [1, 2, 4];
  const single = normalizeTotal(row(Float32Array.from(counts)), { targetSum: 10 });
  const factor = Math.fround(7 / 10);
  assert.deepEqual(single.data, Float32Array.from(counts, (value) => value / factor));
  const double = normalizeTotal(row(Float64Array.from(counts)), { targetSum: 10 });
  assert.deepEqual(double.data, Float64Array.from(counts, (value) => value / 0.7));
});

Deno.test("normalizeTotal() leaves the rows that it is given and empty cells as they are", () => {
  const rows = row(Float32Array.of(0, 0));
  assert.deepEqual(normalizeTotal(rows).data, Float32Array.of(0, 0));
  const given = row(Float32Array.of(1, 3));
  normalizeTotal(given);
  assert.deepEqual(given.data, Float32Array.of(1, 3));
});

Deno.test("normalizeTotal() refuses negative values and targets", () => {
  assert.throws(() => normalizeTotal(row(Float32Array.of(1, -2))), /row 0 .* got -2/);
  assert.throws(
    () => normalizeTotal(row(Float32Array.of(1)), { targetSum: 0 }),
    /targetSum must be > 0: got 0/,
  );
  assert.throws(() => normalizeTotal(row(Float32Array.of(1)), { target: 1 } as object), TypeError);
});

Deno.test("log1p() takes logarithms without losing small values", () => {
  assert.deepEqual(log1p(row(Float64Array.of(0, 1e-20))).data, Float64Array.of(0, 1e-20));
});

Deno.test("medianTotal() leaves cells without counts aside", async () => {
  const matrix = denseMatrix(Float32Array.of(1, 1, 0, 0, 4, 0, 3, 3), [4, 2]);
  assert.equal(await medianTotal(matrix), 4);
  assert.equal(await medianTotal(denseMatrix(Float32Array.of(1, 0, 2, 0), [2, 2])), 1.5);
});
