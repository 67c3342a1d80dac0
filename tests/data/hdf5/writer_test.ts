import assert from "node:assert/strict";
import { walkTree } from "../../../data/hdf5/btree_v1.ts";
import { writeChunkTree } from "../../../data/hdf5/chunk_tree.ts";
import type { Fields } from "../../../data/hdf5/fields.ts";
import { openHdf5 } from "../../../data/hdf5/hdf5.ts";
import { Hdf5Writer } from "../../../data/hdf5/hdf5_writer.ts";
import { Appender, MemorySink } from "../../../data/hdf5/sink.ts";
import { openSource } from "../../../data/source.ts";
import type { StorageArray, StorageGroup } from "../../../data/storage.ts";

/** Writes a file in memory and opens it. */
async function written(
  write: (out: Hdf5Writer) => Promise<void>,
  options: { gzip?: boolean; userBlock?: Uint8Array } = {},
): Promise<StorageGroup> {
  const sink = new MemorySink();
  const out = new Hdf5Writer(sink, { name: "a.h5", gzip: false, ...options });
  await write(out);
  await out.finish();
  return (await openHdf5(await openSource(sink.finish()), "a.h5")).root;
}

/** An array of a group. */
async function arrayOf(group: StorageGroup, name: string): Promise<StorageArray> {
  const node = await group.get(name);
  assert(node?.node === "array", name);
  return node;
}

Deno.test("writeChunkTree() names every chunk, in one level or several", async () => {
  for (const count of [1, 64, 65, 4096, 4097, 5000]) {
    const sink = new MemorySink();
    const file = new Appender(sink, { base: 0, start: 0 });
    const chunks = Array.from(
      { length: count },
      (_, k) => ({ row: 10 * k, address: 8 * k, size: k + 1 }),
    );
    const root = await writeChunkTree(file, chunks, { chunk: [10, 3], itemBytes: 4 });
    const bytes = sink.finish();
    const read = (at: number, length: number) => Promise.resolve(bytes.subarray(at, at + length));
    const readInto = () => Promise.reject(new Error("nothing is read so"));
    const context = { name: "a", offsetBytes: 8, lengthBytes: 8, root: 0, read, readInto };
    const kind = {
      type: 1,
      keyBytes: 32,
      key(fields: Fields) {
        const [size] = [fields.u32(), fields.u32()];
        return { size, row: fields.uint(8), rest: [fields.uint(8), fields.uint(8)] };
      },
    };
    const found = [];
    for await (const { key, address } of walkTree(context, root!, kind)) {
      found.push({ row: key.row, address, size: key.size });
    }
    assert.deepEqual(found, chunks, `${count} chunks`);
    // A search for one row goes down one way.
    const wanted = (from: { row: number }, to: { row: number }) => from.row <= 35 && to.row > 35;
    const one = await Array.fromAsync(walkTree(context, root!, kind, wanted));
    assert.deepEqual(one.map(({ key }) => key.row), count > 3 ? [30] : [], `${count} chunks`);
  }
});

Deno.test("Hdf5Writer keeps texts of every length, in any number", async () => {
  const texts = Array.from({ length: 30_000 }, (_, k) => k % 7 === 0 ? "" : `ü${k}`);
  texts[5] = "x".repeat(200_000);
  const root = await written(async (out) => {
    await out.array("texts", texts, { shape: [texts.length], dtype: { kind: "string" } });
    await out.array("one", ["last"], { shape: [], dtype: { kind: "string" } });
    await out.array("none", [], { shape: [0], dtype: { kind: "string" } });
  });
  assert.deepEqual(await (await arrayOf(root, "texts")).read(), texts);
  assert.deepEqual(await (await arrayOf(root, "texts")).read([[4, 6]]), texts.slice(4, 6));
  assert.deepEqual(await (await arrayOf(root, "one")).read(), ["last"]);
  assert.deepEqual(await (await arrayOf(root, "none")).read(), []);
});

Deno.test("Hdf5Writer streams rows into chunks, and fills the last", async () => {
  const rows = 700_001;
  for (const gzip of [false, true]) {
    const root = await written(async (out) => {
      const stream = out.stream("grown", "int32", [3]);
      for (let row = 0; row < rows; row += 100_000) {
        const count = Math.min(100_000, rows - row);
        await stream.append(Int32Array.from({ length: 3 * count }, (_, k) => 3 * row + k));
      }
      assert.equal(await stream.finish(), rows);
    }, { gzip });
    const grown = await arrayOf(root, "grown");
    assert.deepEqual(grown.shape, [rows, 3]);
    const values = await grown.read() as Int32Array;
    assert.ok(values.length === 3 * rows && values.every((value, k) => value === k));
    assert.deepEqual([...await grown.read([[rows - 1, rows]]) as Int32Array], [
      2100000,
      2100001,
      2100002,
    ]);
  }
});

Deno.test("Hdf5Writer keeps attributes of every kind, the last value of each, and groups of many names", async () => {
  const name = "é".repeat(200); // more than 255 bytes
  const root = await written(async (out) => {
    await out.group("group", {
      text: "a",
      flag: true,
      whole: 3,
      part: 0.5,
      list: [1, 2],
      texts: ["x", ""],
    });
    await out.attributes("group", { text: "b", none: [] });
    for (let k = 0; k < 3000; k++) await out.group(`many/${k}`, {});
    await out.group(name, {});
  }, { userBlock: new Uint8Array(512).fill(7) });
  const group = await root.get("group");
  assert(group?.node === "group");
  const values = Object.fromEntries(
    group.attributeNames().map((key) => [key, group.attribute(key)]),
  );
  assert.deepEqual(values, {
    ...{ text: "b", flag: true, whole: 3, part: 0.5 },
    ...{ list: [1, 2], texts: ["x", ""], none: [] },
  });
  const many = await root.get("many");
  assert(many?.node === "group");
  assert.equal(many.keys().length, 3000);
  assert.deepEqual(root.keys(), ["group", "many", name]);
});

Deno.test("Hdf5Writer refuses what HDF5 cannot keep, saying what and where", async () => {
  const out = new Hdf5Writer(new MemorySink(), { name: "a.h5", gzip: false });
  const texts = Array.from({ length: 5000 }, (_, k) => `column ${k}`);
  await assert.rejects(
    out.attributes("obs", { "column-order": texts }),
    /Cannot write the attribute column-order .* at most 65535 bytes: it takes 80/,
  );
  await assert.rejects(
    out.array("obs/name", ["a", "b\0c"], { shape: [2], dtype: { kind: "string" } }),
    /Cannot write text 1 as HDF5 texts must not contain NUL \(key obs\/name of a\.h5\)/,
  );
});
