/** Joins and summaries where their algorithms could go wrong; pandas' numbers are those of pandas 2.3.3. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DataFrame, NumericColumn } from "../../../data/mod.ts";

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

Deno.test("DataFrame.describe() of infinite numbers has the least, as pandas", async () => {
  const frame = new DataFrame({ index: ["a", "b", "c", "d", "e"] })
    .with("x", Float64Array.of(2, -Infinity, 1, Infinity, 3));
  const { data } = await (await frame.describe()).column("x", "float64");
  assert.deepEqual([...data], [5, NaN, NaN, -Infinity, 1, 2, NaN, Infinity]);
});
