import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AnnData,
  BooleanColumn,
  CategoricalColumn,
  type Column,
  DataFrame,
  LazyMap,
  NumericColumn,
  StringColumn,
} from "../../../data/mod.ts";
import { promote } from "../../../data/numbers.ts";

/** A frame whose column `n` counts how often it is read. */
function lazyFrame(length = 6): { frame: DataFrame; reads: () => number } {
  let reads = 0;
  const load = () => {
    reads++;
    const data = Float64Array.from({ length }, (_, row) => row * 10);
    return Promise.resolve<Column>(new NumericColumn(data, { dtype: "int32" }));
  };
  const index = Array.from({ length }, (_, row) => `r${row}`);
  const columns = new LazyMap<Column>("column", [["n", { load }]]);
  return { frame: new DataFrame({ index, columns, indexName: "cell" }), reads: () => reads };
}

Deno.test("DataFrame.take() keeps row numbers, and a column is read once for all views", async () => {
  const { frame, reads } = lazyFrame();
  const view = frame.take([5, 3, 1]).take(Uint32Array.of(2, 0, 0)).select(["n"]);
  assert.deepEqual([view.index, view.length, view.indexName], [["r1", "r5", "r5"], 3, "cell"]);
  assert.equal(reads(), 0);
  assert.deepEqual([...(await view.column("n")).values()], [10, 50, 50]);
  assert.deepEqual([...(await frame.take([0]).column("n")).values()], [0]);
  assert.equal(reads(), 1);
  assert.deepEqual(frame.take([]).index, []);
});

Deno.test("DataFrame.take() of views is a take of the frame", async () => {
  const frame = new DataFrame({ index: ["a", "b", "c", "d"] })
    .with("n", Int32Array.of(0, 1, 2, 3));
  const rows = fc.array(fc.nat(3), { minLength: 4, maxLength: 8 });
  await fc.assert(fc.asyncProperty(rows, rows, async (first, second) => {
    const view = frame.take(first).take(second);
    const expected = second.map((row) => first[row]!);
    assert.deepEqual([...(await view.column("n", "int32")).data], expected);
    assert.deepEqual(view.index, expected.map((row) => "abcd"[row]));
  }));
});

Deno.test("DataFrame.typed() reads no values of stored columns and those of others once", async () => {
  const { frame, reads } = lazyFrame();
  const typed = await frame.typed({ n: "int32" });
  assert.equal((await typed.column("n")).dtype, "int32");
  assert.equal(reads(), 1);
  await assert.rejects(frame.typed({ n: "float32" }), /as float32: it is int32/);
  assert.equal((await (await frame.typed({ n: "numeric" })).column("n")).kind, "numeric");
});

Deno.test("DataFrame.column() refuses a stored column of another length, in views too", async () => {
  const load = () => Promise.resolve<Column>(new StringColumn(["a"]));
  const columns = new LazyMap<Column>("column", [["short", { load }]]);
  const frame = new DataFrame({ index: ["x", "y"], columns });
  await assert.rejects(frame.column("short"), /must have 2 rows: got 1/);
  await assert.rejects(frame.take([1]).column("short"), /must have 2 rows: got 1/);
});

Deno.test("FrameQuery computes once, when it is awaited", async () => {
  const { frame, reads } = lazyFrame();
  const query = frame.filter("n >= 20").sort("n", { ascending: false });
  assert.equal(reads(), 0);
  const [a, b] = await Promise.all([query.head(2), query.tail(1)]);
  assert.deepEqual([a.index, b.index], [["r5", "r4"], ["r2"]]);
  assert.equal(await query, await query);
  assert.equal(reads(), 1);
  await assert.rejects(async () => await frame.filter("m > 1").head(), RangeError);
});

Deno.test("DataFrame verbs keep rows without a value apart from NaN", async () => {
  const frame = new DataFrame({
    index: ["a", "b", "c", "d"],
    columns: {
      x: new NumericColumn(Float64Array.of(3, NaN, 0, 1), { mask: Uint8Array.of(0, 0, 1, 0) }),
      kept: new BooleanColumn([true, true, false, true], { mask: Uint8Array.of(0, 1, 0, 0) }),
    },
  });
  const sorted = await frame.sort("x");
  assert.deepEqual(sorted.index, ["d", "a", "b", "c"]);
  assert.deepEqual(await sorted.toRecords(), [
    { x: 1, kept: true },
    { x: 3, kept: true },
    { x: NaN, kept: null },
    { x: null, kept: false },
  ]);
  const groups = await frame.groupBy("kept").agg({ n: "size", sum: ["x", "sum"] });
  assert.deepEqual(await groups.toRecords({ index: "name" }), [
    { name: "False", kept: false, n: 1, sum: 0 },
    { name: "True", kept: true, n: 2, sum: 4 },
  ]);
});

Deno.test("CategoricalColumn.take() keeps categories that are numbers, and -1 is no value", () => {
  const labels = new NumericColumn(Float64Array.of(10, 2), { dtype: "int64" });
  const column = new CategoricalColumn(Int32Array.of(0, 1), labels).take([1, -1]);
  assert.deepEqual([column.labels, [...column.values()]], [labels, ["2", null]]);
  const numbers = new NumericColumn(Float32Array.of(1, 2)).take([-1, 1]);
  assert.deepEqual([...numbers.values()], [null, 2]);
  assert.ok(numbers.data instanceof Float32Array);
});

Deno.test("DataFrame.groupBy() groups by many keys with more combinations than rows", async () => {
  const length = 3000;
  const key = (k: number) => Int32Array.from({ length }, (_, row) => (row * (k + 7)) % 2999);
  const frame = ["a", "b", "c"].reduce(
    (made, name, k): DataFrame => made.with(name, key(k)),
    new DataFrame({ index: Array.from({ length }, String) }) as DataFrame,
  );
  const groups = await frame.groupBy(["a", "b", "c"]).agg({ n: "size" });
  const { data } = await groups.column("n");
  const total = [...data].reduce((sum, n) => sum + n);
  assert.deepEqual([groups.length, total], [2999, 3000]);
});

Deno.test("DataFrame.groupBy() and join() say what does not fit", async () => {
  const frame = new DataFrame({ index: ["a"] }).with("label", CategoricalColumn.from(["T"]));
  await assert.rejects(
    frame.groupBy("label").agg({ m: ["label", "mean"] }),
    /must be numeric or boolean: it is categorical \(mean of "label"\)/,
  );
  await assert.rejects(
    frame.groupBy("label").agg({ m: ["label", "max"] }),
    /categories must be ordered/,
  );
  await assert.rejects(
    frame.groupBy("label").agg({ m: ["label", "meen" as "mean"] }),
    /no "meen": did you mean "mean"\?/,
  );
  await assert.rejects(
    frame.groupBy("label").agg({ label: "size" }),
    /called as a key: got "label"/,
  );
  assert.throws(() => frame.groupBy("lable" as "label"), /did you mean "label"/);
  assert.throws(() => frame.groupBy([]), /at least one column/);
  assert.throws(() => frame.join(frame), /must tell columns of one name apart: got "label" twice/);
  assert.throws(() => frame.join(frame, { how: "right" as never }), /got "right"/);
  assert.throws(() => frame.sort("label", { ascending: [true, false] }), /one for each of 1/);
  const numbers = frame.with("label", Int32Array.of(1));
  const mixed = DataFrame.concat([frame, numbers]);
  await assert.rejects(mixed.column("label"), /of one kind: .* \(column "label"\)/);
});

Deno.test("DataFrame prints types and values of what is in memory", async () => {
  const { frame } = lazyFrame(20);
  assert.match(String(frame), /^DataFrame: 20 rows x 1 columns\n\s+n\n\s+not read\nr0 +…\n/);
  const shown = await frame.with("label", CategoricalColumn.from(new Array(20).fill("T")))
    .with("x", new Float64Array(20).fill(1 / 3)).take([1, 0]).head();
  assert.equal(
    Deno.inspect(shown),
    [
      "DataFrame: 2 rows x 3 columns",
      "        n  label               x",
      "    int32  categorical   float64",
      "r1     10  T            0.333333",
      "r0      0  T            0.333333",
    ].join("\n"),
  );
  const wide = Array.from({ length: 30 }, (_, k) => `column_${k}`).reduce(
    (made, name): DataFrame => made.with(name, ["x"]),
    new DataFrame({ index: ["r"] }) as DataFrame,
  );
  assert.match(String(wide), /\nand 2\d more columns: column_\d/);
  assert.match(String(await frame.head(20)), /r4 .*\n… .*\nr15/);
});

Deno.test("AnnData prints its shape and keys as Python's anndata", () => {
  const obs = new DataFrame({ index: ["a"] }).with("n", Int32Array.of(1));
  const adata = AnnData.fromParts({ obs, var: new DataFrame({ index: [] }), uns: { seed: 1 } });
  assert.equal(
    Deno.inspect(adata),
    "AnnData object with n_obs × n_vars = 1 × 0\n    obs: 'n'\n    uns: 'seed'",
  );
});

Deno.test("promote() gives numpy's result types", () => {
  for (
    const [a, b, expected] of [
      ["int8", "uint8", "int16"],
      ["uint8", "uint32", "uint32"],
      ["uint32", "int32", "int64"],
      ["uint64", "int8", "float64"],
      ["int64", "uint8", "int64"],
      ["float16", "int8", "float16"],
      ["float16", "int16", "float32"],
      ["float32", "int16", "float32"],
      ["float32", "int32", "float64"],
      ["float32", "float64", "float64"],
      ["int16", "int16", "int16"],
    ] as const
  ) assert.deepEqual([promote(a, b), promote(b, a)], [expected, expected], `${a} ${b}`);
});
