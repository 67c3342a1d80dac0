import assert from "node:assert/strict";
import { openAny } from "../../data/h5ad/open_h5ad.ts";

const LATEST = new URL("../fixtures/hdf5/latest.h5", import.meta.url).pathname;
const EXPECTED = new URL("../fixtures/hdf5/expected.json", import.meta.url);

Deno.test("arrays that our reader leaves to the HDF5 library are read by it, by path and from memory", async () => {
  const key = "layout/growing_columns"; // chunks that grow along the second axis
  const { values } = JSON.parse(await Deno.readTextFile(EXPECTED))[key];
  for (const source of [LATEST, new URL(`file://${LATEST}`), await Deno.readFile(LATEST)]) {
    const file = await openAny(source, undefined);
    const group = await file.root.get("layout");
    assert(group?.node === "group");
    const array = await group.get("growing_columns");
    assert(array?.node === "array");
    assert.deepEqual(Array.from(await array.read() as Int16Array), values);
    assert.deepEqual(
      Array.from(await array.read([[2, 4], [1, 3], [0, 1]]) as Int16Array),
      [values[33], values[36], values[48], values[51]],
    );
    file.close();
    await assert.rejects(array.read(), /is closed/);
  }
});
