import assert from "node:assert/strict";
import fc from "fast-check";
import { matrixOf } from "../../data/matrix.ts";
import { cscPieces } from "../../data/matrix_csc.ts";
import type { RawArray, StorageArray } from "../../data/storage.ts";
import { piecesOf, valuesOf } from "./fixtures.ts";

/** A stored array of one axis. */
function stored(values: RawArray, name: "float32" | "int32"): StorageArray {
  return {
    node: "array",
    file: "memory",
    key: name,
    shape: [values.length],
    dtype: { kind: "numeric", name },
    chunks: null,
    attribute: () => undefined,
    attributeNames: () => [],
    read: ([range] = []) => Promise.resolve(values.slice(range?.[0], range?.[1])),
  };
}

/** Rows of small integers as a CSC matrix that is read with little memory. */
function toCsc(rows: readonly number[][], limits: { window: number; slab: number }) {
  const shape = [rows.length, rows[0]!.length] as const;
  const indptr = [0];
  const indices: number[] = [];
  for (let column = 0; column < shape[1]; column++) {
    rows.forEach((row, r) => row[column] !== 0 && indices.push(r));
    indptr.push(indices.length);
  }
  const data = rows[0]!.flatMap((_, column) => rows.map((row) => row[column]!)).filter(Boolean);
  const arrays = {
    data: stored(Float32Array.from(data), "float32"),
    indices: stored(Int32Array.from(indices), "int32"),
    indptr: stored(Int32Array.from(indptr), "int32"),
  };
  const pieces = cscPieces(arrays, shape, limits);
  return matrixOf({ shape, format: "csc", dtype: "float32", pieces });
}

const table = fc.integer({ min: 1, max: 5 }).chain((nCols) =>
  fc.array(fc.array(fc.nat(3), { minLength: nCols, maxLength: nCols }), {
    minLength: 1,
    maxLength: 8,
  })
);

Deno.test("cscPieces() gives the same rows whatever fits in memory", async () => {
  const limit = fc.integer({ min: 1, max: 12 });
  await fc.assert(fc.asyncProperty(table, limit, limit, async (rows, window, slab) => {
    const matrix = toCsc(rows, { window, slab });
    assert.deepEqual(await valuesOf(matrix), rows.flat());
    const start = rows.length >> 1;
    assert.deepEqual([...await matrix.dense({ start })], rows.slice(start).flat());
  }));
});

Deno.test("cscPieces() reads windows of whole batches that hold no more than the limit", async () => {
  const rows = Array.from({ length: 10 }, () => [1, 1]);
  const pieces = await piecesOf(toCsc(rows, { window: 9, slab: 3 }).rows());
  assert.deepEqual(pieces.map((piece) => piece.nRows), [4, 4, 2]);
  const batches = await piecesOf(toCsc(rows, { window: 9, slab: 3 }).rows({ batch: 3 }));
  assert.deepEqual(batches.map((piece) => piece.nRows), [3, 3, 3, 1]);
});
