import assert from "node:assert/strict";
import fc from "fast-check";
import { checkRows, columnMoments, selectColumns } from "../../../tasks/analysis/rows.ts";
import { assertClose, dense, sparse } from "../fixtures.ts";

const tables = fc.integer({ min: 1, max: 5 }).chain((width) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: width, maxLength: width }), {
    minLength: 2,
    maxLength: 6,
  })
);

Deno.test("columnMoments() is the same for sparse and dense rows", () => {
  fc.assert(fc.property(tables, (table) => {
    const a = columnMoments(sparse(table)), b = columnMoments(dense(table));
    assertClose(a.mean, b.mean, 1e-12);
    assertClose(a.variance, b.variance, 1e-12);
  }));
  const { mean, variance } = columnMoments(sparse([[1, 0], [3, 0], [5, 3]]));
  assertClose(mean, [3, 1], 1e-15);
  assertClose(variance, [4, 3], 1e-15);
});

Deno.test("selectColumns() picks columns in the given order", () => {
  fc.assert(fc.property(tables, (table) => {
    const columns = table[0]!.map((_, column) => column).reverse();
    const wanted = sparse(table.map((row) => row.toReversed()));
    assert.deepEqual(selectColumns(sparse(table), columns), wanted);
  }));
  assert.deepEqual(selectColumns(sparse([[1, 2, 3]]), [2]), sparse([[3]]));
});

Deno.test("selectColumns() refuses columns that do not exist or come twice", () => {
  assert.throws(() => selectColumns(sparse([[1, 2]]), [0, 2]), /got 2 at 1/);
  assert.throws(() => selectColumns(sparse([[1, 2]]), [1, 1]), /got 1 at 1/);
});

Deno.test("checkRows() names what does not fit", () => {
  const rows = sparse([[1, 2], [0, 3]]);
  checkRows(rows, "test");
  assert.throws(() => checkRows({ ...rows, nRows: 3 }, "test"), RangeError);
  assert.throws(() => checkRows({ ...rows, nCols: 1 }, "test"), /below 1: got 1 at stored value 1/);
  assert.throws(() => checkRows({ ...dense([[1, 2]]), nRows: 2 }, "test"), /need 4 values: got 2/);
});
