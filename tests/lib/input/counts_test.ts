import assert from "node:assert/strict";
import { denseMatrix } from "../../../data/mod.ts";
import { inspectValues } from "../../../lib/input/counts.ts";

const NAMES = { matrix: "X", obsNames: ["c0", "c1"], varNames: ["g0", "g1", "g2"] };

function inspect(...values: number[]) {
  return inspectValues(denseMatrix(Float32Array.from(values), [2, 3]), NAMES);
}

Deno.test("inspectValues() tells counts, normalised and logged values", async () => {
  assert.deepEqual(await inspect(0, 1, 0, 7, 0, 2), {
    kind: "counts",
    rows: 2,
    max: 7,
    leastPositive: 1,
  });
  assert.equal((await inspect(0, 0.5, 0, 7, 0, 2)).kind, "logged");
  assert.equal((await inspect(0, 0.5, 0, 31, 0, 2)).kind, "normalized"); // above any logarithm
  assert.equal((await inspect(0, 1.5, 0, 7, 0, 2)).kind, "normalized"); // nothing below 1
  assert.equal((await inspect(0, 0, 0, 0, 0, 0)).kind, "counts");
});

Deno.test("inspectValues() looks at as many rows as told", async () => {
  const matrix = denseMatrix(Float32Array.of(1, 2, 3, 0.5, -1, NaN), [2, 3]);
  assert.deepEqual(await inspectValues(matrix, NAMES, { maxRows: 1 }), {
    kind: "counts",
    rows: 1,
    max: 3,
    leastPositive: 1,
  });
});

Deno.test("inspectValues() refuses negative and non-finite values, naming cell and gene", async () => {
  await assert.rejects(inspect(0, 1, 0, 7, -1.5, 2), {
    name: "RangeError",
    message:
      /^Cannot use X as expression values must be >= 0: got -1\.5 in cell c1, gene g1; scaled/,
  });
  await assert.rejects(inspect(0, 1, NaN, 7, 0, 2), /must be finite: got NaN in cell c0, gene g2$/);
  await assert.rejects(
    inspect(0, 1, 0, 0, 0, Infinity),
    /be finite: got Infinity in cell c1, gene g2/,
  );
});
