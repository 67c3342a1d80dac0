import assert from "node:assert/strict";
import { nearestRows, pointsOf, squaredDistance } from "../../../tasks/metrics/distances.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, exactNeighbors } from "./cells.ts";

const turn = () => Promise.resolve();

Deno.test("squaredDistance() is exact for any number of dimensions", () => {
  for (const nCols of [1, 3, 4, 5, 9]) {
    const data = Float32Array.from({ length: 2 * nCols }, (_, i) => i * i);
    const points = pointsOf({ nRows: 2, nCols, data }, { cosine: false, act: "test" });
    let expected = 0;
    for (let j = 0; j < nCols; j++) expected += (data[j]! - data[nCols + j]!) ** 2;
    assert.equal(squaredDistance(points, 0, 1), expected);
  }
});

Deno.test("pointsOf() gives unit length for cosines and refuses rows without one", () => {
  const data = new Float32Array([3, 4, 0, 2]);
  const points = pointsOf({ nRows: 2, nCols: 2, data }, { cosine: true, act: "test" });
  assertClose([squaredDistance(points, 0, 1) / 2], [1 - 0.8], 1e-15);
  const zero = { nRows: 1, nCols: 2, data: new Float32Array(2) };
  assert.throws(() => pointsOf(zero, { cosine: true, act: "test" }), /no row may be zero: row 0/);
});

Deno.test("nearestRows() finds the exact neighbours of real cells, in the order of rows", async () => {
  const expected = exactNeighbors(AFTER, 20);
  const points = pointsOf(AFTER, { cosine: false, act: "test" });
  const { indices } = await nearestRows(points, 20, turn);
  for (let start = 0; start < indices.length; start += 20) {
    const sorted = expected.indices.slice(start, start + 20).sort();
    assert.deepEqual(indices.subarray(start, start + 20), sorted);
  }
});

Deno.test("nearestRows() takes the lower rows among equals", async () => {
  const rows = { nRows: 4, nCols: 1, data: new Float32Array([0, 1, 1, 1]) };
  const points = pointsOf(rows, { cosine: false, act: "test" });
  const { indices } = await nearestRows(points, 2, turn);
  assert.deepEqual([...indices], [0, 1, 1, 2, 1, 2, 1, 2]);
});
