import assert from "node:assert/strict";
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  DataFrame,
  LazyMap,
  NumericColumn,
  StringColumn,
} from "../../data/mod.ts";

const mask = Uint8Array.of(0, 1, 0);
const COLUMNS: Record<string, Column> = {
  score: new NumericColumn(Float32Array.of(1, 2, 3)),
  rank: new NumericColumn(Float64Array.of(1, 0, 3), { dtype: "int64", mask }),
  kept: new BooleanColumn([true, false, true], { mask }),
  note: new StringColumn(["a", "", "c"]),
  label: new CategoricalColumn(Int32Array.of(1, -1, 0), ["B", "T"], { ordered: true }),
};
const frame = new DataFrame({ index: ["x", "y", "z"], columns: COLUMNS });

Deno.test("DataFrame.column() checks kind and name", async () => {
  assert.equal(await frame.column("label", "categorical"), COLUMNS.label);
  await assert.rejects(frame.column("label", "numeric"), {
    name: "TypeError",
    message: 'Cannot read the column "label" as numeric: it is categorical',
  });
  await assert.rejects(frame.column("lable"), {
    name: "RangeError",
    message: 'Cannot read the column "lable" as there is none: did you mean "label"? ' +
      "available: score, rank, kept, note, label",
  });
});

Deno.test("DataFrame.column() reads a lazy column once and again after a failure", async () => {
  let loads = 0;
  const load = () =>
    ++loads === 1 ? Promise.reject(new Error("lost")) : Promise.resolve(COLUMNS.note!);
  const lazy = new DataFrame({
    index: ["x", "y", "z"],
    columns: new LazyMap("column", [["note", { load }]]),
  });
  assert.equal(loads, 0);
  await assert.rejects(lazy.column("note"), /lost/);
  await Promise.all([lazy.column("note"), lazy.column("note")]);
  assert.equal(loads, 2);
});

Deno.test("DataFrame.take() picks rows of every kind of column", async () => {
  const view = frame.take([2, 1, 1]);
  assert.deepEqual(view.index, ["z", "y", "y"]);
  const expected = {
    score: [3, 2, 2],
    rank: [3, null, null],
    kept: [true, null, null],
    note: ["c", "", ""],
    label: ["B", null, null],
  };
  for (const [name, values] of Object.entries(expected)) {
    assert.deepEqual([...(await view.column(name)).values()], values, name);
  }
  assert.equal((await view.column("label", "categorical")).ordered, true);
  assert.equal((await view.column("rank", "numeric")).dtype, "int64");
  assert.throws(() => frame.take([3]), RangeError);
});

Deno.test("DataFrame.with() adds and replaces columns of plain values", async () => {
  const more = frame.with("kept", [false, true, true]).with("n", Int32Array.of(4, 5, 6)).with("s", [
    "p",
    "q",
    "r",
  ]);
  assert.deepEqual(more.columns(), ["score", "rank", "kept", "note", "label", "n", "s"]);
  assert.deepEqual([...(await more.column("kept", "boolean")).values()], [false, true, true]);
  assert.equal((await more.column("n", "numeric")).dtype, "int32");
  assert.equal((await more.column("s", "string")).at(1), "q");
  assert.equal(await frame.column("kept"), COLUMNS.kept);
  assert.throws(() => frame.with("short", ["a"]), /must have 3 rows: got 1/);
});

Deno.test("CategoricalColumn.from() sorts the categories as pandas does", () => {
  const column = CategoricalColumn.from(["T", null, "B", "T"]);
  assert.deepEqual([column.categories, [...column.codes]], [["B", "T"], [1, -1, 0, 1]]);
});

Deno.test("CategoricalColumn() refuses codes without a category and repeated categories", () => {
  assert.throws(
    () => new CategoricalColumn(Int32Array.of(0, 2), ["a", "b"]),
    /-1 \.\. 1: got 2 in row 1/,
  );
  assert.throws(() => new CategoricalColumn(Int32Array.of(0), ["a", "a"]), /a category repeats/);
});

Deno.test("NumericColumn() refuses a mask of another length and unknown options", () => {
  assert.throws(
    () => new NumericColumn(Float32Array.of(1), { mask }),
    /must have 1 elements: got 3/,
  );
  assert.throws(() => new NumericColumn(Float32Array.of(1), { maks: mask } as never), TypeError);
});

Deno.test("LazyMap.need() lists what there is", async () => {
  const map = LazyMap.of("obsm", { X_pca: 1, X_umap: 2 });
  assert.deepEqual([map.keys(), map.size, await map.get("X_tsne")], [
    ["X_pca", "X_umap"],
    2,
    undefined,
  ]);
  await assert.rejects(map.need("X_pac"), {
    name: "RangeError",
    message:
      'Cannot read obsm "X_pac" as there is none: did you mean "X_pca"? available: X_pca, X_umap',
  });
  assert.equal(await map.with({ X_pca: 5 }).map((value) => value * 2).need("X_pca"), 10);
});
