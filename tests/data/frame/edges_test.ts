/** Summaries where their algorithms could go wrong; pandas' numbers are those of pandas 2.3.3. */
import assert from "node:assert/strict";
import { DataFrame } from "../../../data/mod.ts";

Deno.test("DataFrame.describe() of infinite numbers has the least, as pandas", async () => {
  const frame = new DataFrame({ index: ["a", "b", "c", "d", "e"] })
    .with("x", Float64Array.of(2, -Infinity, 1, Infinity, 3));
  const { data } = await (await frame.describe()).column("x", "float64");
  assert.deepEqual([...data], [5, NaN, NaN, -Infinity, 1, 2, NaN, Infinity]);
});
