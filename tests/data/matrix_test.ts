import assert from "node:assert/strict";
import fc from "fast-check";
import { csrMatrix, denseMatrix, type Matrix } from "../../data/mod.ts";
import { openFixture, piecesOf, VALUES, valuesOf } from "./fixtures.ts";

/** Rows of small integers, of which many are zero. */
const table = fc.integer({ min: 1, max: 6 }).chain((nCols) =>
  fc.array(fc.array(fc.constantFrom(0, 0, 0, 1, -2, 3.5), { minLength: nCols, maxLength: nCols }), {
    minLength: 1,
    maxLength: 8,
  })
);

/** The rows as a dense matrix. */
function toDense(rows: readonly number[][]): Matrix {
  return denseMatrix(Float64Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}

/** The rows as a sparse matrix. */
function toCsr(rows: readonly number[][]): Matrix {
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (const row of rows) {
    row.forEach((value, column) => {
      if (value === 0) return;
      indices.push(column);
      data.push(value);
    });
    indptr.push(indices.length);
  }
  return csrMatrix({
    shape: [rows.length, rows[0]!.length],
    indptr: Uint32Array.from(indptr),
    indices: Uint32Array.from(indices),
    data: Float64Array.from(data),
  });
}

Deno.test("csrMatrix() and denseMatrix() hold the same values in any batches", async () => {
  await fc.assert(fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, batch) => {
    for (const matrix of [toDense(rows), toCsr(rows)]) {
      assert.deepEqual(await valuesOf(matrix), rows.flat());
      const pieces = await piecesOf(matrix.rows({ batch }));
      assert.deepEqual(
        pieces.map((piece) => piece.start),
        rows.map((_, r) => r).filter((r) => r % batch === 0),
      );
      const seen = pieces.flatMap((piece) => [...piece.data]);
      assert.deepEqual(seen, rows.flat().filter((value) => value !== 0));
      for (const piece of pieces) assert.equal(piece.indptr.length, piece.nRows + 1);
    }
  }));
});

Deno.test("Matrix.rows() reads a range and leaves off at break", async () => {
  using adata = await openFixture("columns");
  for (
    const matrix of [
      adata.X!,
      ...await Promise.all(["counts", "dense"].map((n) => adata.layers.need(n))),
    ]
  ) {
    const [piece] = await piecesOf(matrix.rows({ start: 2, end: 4 }));
    assert.deepEqual([piece!.start, piece!.nRows, piece!.nCols], [2, 2, 3]);
    assert.deepEqual([[...piece!.indptr], [...piece!.indices]], [[0, 1, 3], [0, 1, 2]]);
    for await (const first of matrix.rows({ batch: 1 })) {
      assert.equal(first.nRows, 1);
      break;
    }
    assert.deepEqual(await piecesOf(matrix.rows({ start: 4 })), []);
  }
});

Deno.test("Matrix.rows() refuses wrong ranges, batches and options", async () => {
  const matrix = denseMatrix(new Float32Array(6), [3, 2]);
  await assert.rejects(
    piecesOf(matrix.rows({ end: 4 })),
    /0 <= start <= end <= 3 must hold: got 0 \.\. 4/,
  );
  await assert.rejects(piecesOf(matrix.rows({ start: 2, end: 1 })), RangeError);
  await assert.rejects(piecesOf(matrix.rows({ batch: 0 })), /batch must be an integer >= 1: got 0/);
  await assert.rejects(piecesOf(matrix.rows({ bach: 1 } as never)), TypeError);
  await assert.rejects(matrix.dense({ batch: 1 } as never), TypeError);
  await assert.rejects(piecesOf(matrix.rows({ signal: AbortSignal.abort() })), {
    name: "AbortError",
  });
});

Deno.test("Matrix.dense() rounds to float32 unless float64 is asked for", async () => {
  using adata = await openFixture("columns");
  const dense = await adata.layers.need("dense");
  assert.ok(await dense.dense() instanceof Float32Array);
  assert.deepEqual([...await dense.dense()], VALUES.map((value) => Math.fround(value / 3)));
  assert.deepEqual(await valuesOf(dense), VALUES.map((value) => value / 3));
});

Deno.test("Matrix.rows() passes NaN and infinities on", async () => {
  const matrix = denseMatrix(Float32Array.of(NaN, 0, -Infinity), [1, 3]);
  const [piece] = await piecesOf(matrix.rows());
  assert.deepEqual([[...piece!.indices], [...piece!.data]], [[0, 2], [NaN, -Infinity]]);
});

Deno.test("csrMatrix() sorts columns and adds up equal ones", async () => {
  const matrix = csrMatrix({
    shape: [2, 4],
    indptr: Uint32Array.of(0, 4, 5),
    indices: Uint32Array.of(3, 1, 3, 0, 2),
    data: Float32Array.of(1, 2, 4, 8, 16),
  });
  const [piece] = await piecesOf(matrix.rows());
  assert.deepEqual([...piece!.indptr], [0, 3, 4]);
  assert.deepEqual([...piece!.indices], [0, 1, 3, 2]);
  assert.deepEqual([...piece!.data], [8, 2, 5, 16]);
});

Deno.test("csrMatrix() refuses arrays that do not fit", () => {
  const parts = {
    shape: [1, 2] as const,
    indptr: Uint32Array.of(0, 1),
    indices: Uint32Array.of(1),
    data: Float32Array.of(1),
  };
  assert.throws(() => csrMatrix({ ...parts, shape: [2, 2] }), /indptr must be 3 bounds/);
  assert.throws(() => csrMatrix({ ...parts, indptr: Uint32Array.of(0, 2) }), RangeError);
  assert.throws(
    () => csrMatrix({ ...parts, data: new Float32Array(2) }),
    /equally long: got 2 and 1/,
  );
  assert.throws(() => csrMatrix({ ...parts, shape: [1, 1] }), /columns must be below 1: got 1/);
  const fall = { shape: [3, 2] as const, indptr: Uint32Array.of(0, 1, 0, 1) };
  assert.throws(() => csrMatrix({ ...parts, ...fall }), /must not fall: it does at 2/);
  assert.throws(() => denseMatrix(new Float32Array(3), [2, 2]), /2 x 2 = 4 values/);
});
