import assert from "node:assert/strict";
import { openHdf5 } from "../../../data/hdf5/hdf5.ts";
import { type ByteSource, openSource } from "../../../data/source.ts";
import type { Range, StorageArray } from "../../../data/storage.ts";

const FILE = new URL("../../fixtures/hdf5/latest.h5", import.meta.url);

/** An array of the fixture: `chunked` has 7 x 5 x 3 numbers in chunks of 2 x 3 x 2. */
async function openArray(key: string, source?: ByteSource): Promise<StorageArray> {
  const { root } = await openHdf5(source ?? await openSource(FILE), "latest.h5");
  let node = await root.get(key.split("/")[0]!);
  for (const name of key.split("/").slice(1)) {
    assert(node?.node === "group");
    node = await node.get(name);
  }
  assert(node?.node === "array");
  return node;
}

/** Elements of a block of numbers that count up modulo 120. */
function expectedOf(shape: readonly number[], block: readonly Range[]): number[] {
  const [[a, b], [c, d], [e, f]] = block as [Range, Range, Range];
  const out: number[] = [];
  for (let i = a; i < b; i++) {
    for (let j = c; j < d; j++) {
      for (let k = e; k < f; k++) out.push(((i * shape[1]! + j) * shape[2]! + k) % 120);
    }
  }
  return out;
}

const BLOCKS: readonly (readonly Range[])[] = [
  [[0, 7], [0, 5], [0, 3]],
  [[1, 2], [0, 5], [0, 3]],
  [[0, 7], [2, 4], [0, 3]],
  [[3, 6], [1, 5], [1, 2]],
  [[6, 7], [4, 5], [2, 3]],
  [[2, 2], [0, 5], [0, 3]],
];

for (
  const name of [
    "chunked",
    "gzip",
    "compact_like",
    "growing_rows",
    "growing_columns",
    "growing_all",
    "bounded",
    "single",
  ]
) {
  Deno.test(`StorageArray.read() gives any block, one after the other and at once: ${name}`, async () => {
    const array = await openArray(`layout/${name}`);
    for (const block of BLOCKS) {
      const values = Array.from(await array.read(block) as Int16Array);
      assert.deepEqual(values, expectedOf(array.shape!, block), JSON.stringify(block));
    }
    const again = [...BLOCKS, ...BLOCKS].reverse();
    const all = await Promise.all(again.map((block) => array.read(block)));
    again.forEach((block, k) =>
      assert.deepEqual(Array.from(all[k] as Int16Array), expectedOf(array.shape!, block))
    );
  });
}

Deno.test("StorageArray.read() gives arrays that do not change with others", async () => {
  for (const key of ["layout/compact", "layout/compact_like", "layout/chunked"]) {
    const array = await openArray(key);
    const first = await array.read() as Int16Array;
    const before = first.slice();
    (await array.read() as Int16Array).fill(-1);
    assert.deepEqual(first, before, key);
    assert.deepEqual(await array.read(), before, key);
  }
});

Deno.test("StorageArray.read() reads on after a source failed", async () => {
  const source = await openSource(await Deno.readFile(FILE));
  let broken = false;
  const read: ByteSource["read"] = (offset, length) =>
    broken ? Promise.reject(new Error("no answer")) : source.read(offset, length);
  const array = await openArray("layout/fixed", { ...source, read });
  const values = await array.read();
  const other = await openArray("layout/growing", { ...source, read });
  broken = true;
  await array.read([[0, 5]]).catch(() => {});
  broken = false;
  assert.deepEqual(await array.read(), values);
  assert.equal((await other.read([[0, 9]]) as Int32Array)[8], 8);
});
