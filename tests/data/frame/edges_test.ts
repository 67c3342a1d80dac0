/** Joins, summaries and groups where their algorithms could go wrong; pandas' numbers are those of pandas 2.3.3. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CategoricalColumn, DataFrame, NumericColumn } from "../../../data/mod.ts";
import { assertTable } from "./recorded.ts";

/** A frame whose only column counts its rows from `start`. */
function counted(column: string, index: readonly string[], start = 0): DataFrame {
  const data = Float64Array.from(index, (_, row) => start + row);
  return new DataFrame({ index, columns: { [column]: new NumericColumn(data) } });
}

/** Name of each row of a join and its values left and right, null where there is none. */
async function pairsOf(frame: DataFrame): Promise<unknown[]> {
  const records = await frame.toRecords({ index: "name" }) as unknown as Record<string, unknown>[];
  return records.map(({ name, a, b }) => [name, a, b]);
}

Deno.test("DataFrame.join() gives each pair of repeated names, as pandas", async () => {
  const left = counted("a", ["x", "y", "x", ""], 1);
  const right = counted("b", ["x", "", "x", "z"], 1);
  const pairs = [["x", 1, 1], ["x", 1, 3], ["x", 3, 1], ["x", 3, 3]];
  assert.deepEqual(await pairsOf(left.join(right)), [
    ...pairs.slice(0, 2),
    ["y", 2, null],
    ...pairs.slice(2),
    ["", 4, 2],
  ]);
  assert.deepEqual(await pairsOf(left.join(right, { how: "inner" })), [...pairs, ["", 4, 2]]);
  assert.deepEqual(await pairsOf(left.join(right, { how: "outer" })), [
    ["", 4, 2],
    ...pairs,
    ["y", 2, null],
    ["z", null, 4],
  ]);
});

Deno.test("DataFrame.join() is a comparison of every name with every other", async () => {
  const names = fc.array(fc.constantFrom("", "a", "b", "ab", "ba", "é", "🧬", "\ud83e"));
  await fc.assert(fc.asyncProperty(names, names, async (left, right) => {
    const pairs = left.flatMap((name, a) =>
      right.flatMap((other, b) => name === other ? [[name, a, b]] : [])
    );
    const alone = left.flatMap((name, a) => right.includes(name) ? [] : [[name, a, null]]);
    const others = right.flatMap((name, b) => left.includes(name) ? [] : [[name, null, b]]);
    const [first, second] = [counted("a", left), counted("b", right)];
    const joined = async (how: "inner" | "left" | "outer") =>
      await pairsOf(first.join(second, { how }));
    const byRow = (rows: unknown[][]) =>
      rows.toSorted((x, y) => Number(x[1]) - Number(y[1]) || Number(x[2]) - Number(y[2]));
    assert.deepEqual(await joined("inner"), pairs);
    assert.deepEqual(await joined("left"), byRow([...pairs, ...alone]));
    const all = new Set([...pairs, ...alone, ...others].map(String));
    assert.deepEqual(new Set((await joined("outer")).map(String)), all);
  }));
});

Deno.test("DataFrame.join() tells names of one hash apart", async () => {
  const right = counted("b", ["cell_429192", "cell_1", "cell_232789", "cell_429192"]);
  const pairs = await pairsOf(counted("a", ["cell_232789", "cell_429192"]).join(right));
  assert.deepEqual(pairs, [["cell_232789", 0, 2], ["cell_429192", 1, 0], ["cell_429192", 1, 3]]);
});

/** Rows that are too many to be sorted as a whole. */
const ROWS = 20_000;
const lattice = Array.from({ length: ROWS }, (_, k) => ((k * 7919) % 20_011) / 8 - 1000);

Deno.test("DataFrame.describe() summarizes many rows as pandas", async () => {
  const column = (value: (x: number, k: number) => number) =>
    new NumericColumn(Float64Array.from(lattice, value));
  const mask = Uint8Array.from(lattice, (_, k) => k % 89 === 0 ? 1 : 0);
  const frame = new DataFrame({
    index: lattice.map(String),
    columns: {
      gaps: column((x, k) => k % 97 === 0 ? NaN : x),
      masked: new NumericColumn(Float64Array.from(lattice), { mask }),
      equal: column(() => 2.5),
      outlier: column((x, k) => k === 5 ? 1e20 : x),
      label: CategoricalColumn.from(lattice.map(() => "T")),
    },
  });
  const numbers = {
    gaps: [19793, 250.8023733137978, 722.1073652158356, -999.875, -374.5, 250.75, 876.125, 1501.25],
    masked: [
      ...[19775, 250.70141592920353, 722.0896436819402],
      ...[-999.875, -374.4375, 250.75, 875.9375, 1501.25],
    ],
    equal: [20000, 2.5, 0, 2.5, 2.5, 2.5, 2.5, 2.5],
    outlier: [
      ...[20000, 5000000000000248, 7.071067811865475e17],
      ...[-1000, -374.53125, 250.6875, 876.03125, 1e20],
    ],
  };
  await assertTable(await frame.describe(), {
    index: ["count", "mean", "std", "min", "25%", "50%", "75%", "max"],
    columns: Object.fromEntries(
      Object.entries(numbers).map(([name, values]) => [name, { dtype: "float64", values }]),
    ),
  }, { where: "many rows" });
});

/** Quantiles as describe() has them, of numbers that are sorted as a whole. */
function quartiles(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return [0, 0.25, 0.5, 0.75, 1].map((q) => {
    const at = (sorted.length - 1) * q;
    const [a, b] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
    const t = at % 1;
    return a === b || q === 0 ? a : t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
  });
}

Deno.test("DataFrame.describe() has the quantiles of sorted numbers, however they are spread", async () => {
  const spreads: Record<string, (x: number, k: number) => number> = {
    ascending: (_, k) => k,
    "up and down": (_, k) => Math.min(k, ROWS - k),
    zeros: (_, k) => k % 2 === 0 ? 0 : -0,
    "two values": (_, k) => k % 3 === 0 ? 1 : 1 + Number.EPSILON,
    "an infinite difference": (x) => x * 1e305,
    "differences that have no inverse": (x) => x * 5e-324,
    infinite: (x, k) => k === 7 ? Infinity : k === 8 ? -Infinity : x,
    "all sizes": (x, k) => x * 2 ** (k % 1000 - 500),
  };
  for (const [name, spread] of Object.entries(spreads)) {
    const values = lattice.map(spread);
    const frame = new DataFrame({ index: values.map(String) }).with("x", Float64Array.from(values));
    const { data } = await (await frame.describe()).column("x", "float64");
    assert.deepEqual([...data.subarray(3)], quartiles(values), name);
    const group = frame.with("all", Int32Array.from(values, () => 0)).groupBy("all");
    const median = await (await group.agg({ x: ["x", "median"] })).column("x");
    assert.equal(median.data[0], data[5], name);
  }
});

Deno.test("DataFrame.describe() of no rows has counts of 0 alone, as pandas", async () => {
  const masked = new NumericColumn(Float64Array.of(1), { mask: Uint8Array.of(1) });
  for (const frame of [counted("n", []), new DataFrame({ index: ["a"], columns: { n: masked } })]) {
    const { data } = await (await frame.describe()).column("n", "float64");
    assert.deepEqual([...data], [0, NaN, NaN, NaN, NaN, NaN, NaN, NaN]);
  }
});

Deno.test("DataFrame.describe() of infinite numbers has the least, as pandas", async () => {
  const frame = new DataFrame({ index: ["a", "b", "c", "d", "e"] })
    .with("x", Float64Array.of(2, -Infinity, 1, Infinity, 3));
  const { data } = await (await frame.describe()).column("x", "float64");
  assert.deepEqual([...data], [5, NaN, NaN, -Infinity, 1, 2, NaN, Infinity]);
});

Deno.test("DataFrame.groupBy() leaves labels as they are and groups those without rows, as pandas", async () => {
  const label = new CategoricalColumn(Int32Array.of(0, 2, 2, -1, 0), ["A", "B", "C"]);
  const frame = new DataFrame({
    index: ["a", "b", "c", "d", "e"],
    columns: { label, x: new NumericColumn(Float64Array.of(1, NaN, 4, 5, 2)) },
  });
  const means = async (rows: DataFrame, observed: boolean) => {
    const table = await rows.groupBy("label", { observed }).agg({
      mean: ["x", "mean"],
      n: ["x", "count"],
    });
    return (await table.toRecords()).map(({ label, mean, n }) => [label, mean, n]);
  };
  assert.deepEqual(await means(frame, true), [["A", 1.5, 2], ["C", 4, 1]]);
  assert.deepEqual(await means(frame, false), [["A", 1.5, 2], ["B", NaN, 0], ["C", 4, 1]]);
  const some = frame.with("label", new CategoricalColumn(label.codes, ["C", "B", "A"]));
  assert.deepEqual(await means(some.take([0, 1, 3]), true), [["C", 1, 1], ["A", NaN, 0]]);
  const all = frame.with("label", new CategoricalColumn(Int32Array.of(1, 0, 1, 0, -1), ["A", "B"]));
  assert.deepEqual(await means(all, true), [["A", 5, 1], ["B", 2.5, 2]]);
  assert.deepEqual([...(await all.column("label", "categorical")).codes], [1, 0, 1, 0, -1]);
  assert.deepEqual(await means(frame.take([]), true), []);
  assert.deepEqual(await means(frame.take([]), false), [["A", NaN, 0], ["B", NaN, 0], [
    "C",
    NaN,
    0,
  ]]);
});
