import assert from "node:assert/strict";
import { openSparse } from "../../data/matrix_stored.ts";
import type { Range, StorageArray, StorageGroup } from "../../data/storage.ts";
import { arrayMeta } from "../../data/zarr/array_meta.ts";
import { stridesOf } from "../../data/zarr/chunk.ts";
import { ChunkCache } from "../../data/zarr/chunk_cache.ts";
import { copyChunk } from "../../data/zarr/copy_chunk.ts";
import { openHierarchy } from "../../data/zarr/hierarchy.ts";
import type { ZarrStore } from "../../data/zarr/mod.ts";
import { openNodes } from "../../data/zarr/nodes.ts";
import { shardedChunks } from "../../data/zarr/shards.ts";
import { memoryStore } from "../../data/zarr/store.ts";
import { type Random, seeded } from "./seeded.ts";
import { fixtureMap } from "./zarr_fixtures.ts";

/** Places of a block in row-major order. */
function* placesOf(block: readonly Range[]): Generator<number[]> {
  const [first, ...rest] = block;
  if (first === undefined) yield [];
  else {
    for (let k = first[0]; k < first[1]; k++) for (const more of placesOf(rest)) yield [k, ...more];
  }
}

/** Strides of chunks whose axes lie in some order in memory. */
function stridesIn(order: readonly number[], shape: readonly number[]): number[] {
  const turned = stridesOf(order.map((axis) => shape[axis]!));
  return shape.map((_, axis) => turned[order.indexOf(axis)]!);
}

/** Some chunk and a block that has a part of it. */
function randomPair(below: Random) {
  const rank = below(5);
  const chunks = Array.from({ length: rank }, () => 1 + below(rank === 1 ? 60 : 6));
  const coordinates = chunks.map(() => below(3));
  const block = chunks.map((length, axis): Range => {
    const origin = coordinates[axis]! * length;
    if (below(2) === 0) return [origin, origin + length];
    const start = below(origin + length);
    return [start, Math.max(start, origin) + 1 + below(2 * length)];
  });
  const order = chunks.map((_, axis) => axis);
  if (below(2) === 0) order.sort(() => below(3) - 1);
  const stride = stridesIn(order, chunks);
  return { chunks, coordinates, block, stride };
}

Deno.test("copyChunk() copies each element that chunk and block share, and no other", () => {
  const below = seeded(12);
  for (let round = 0; round < 3000; round++) {
    const { chunks, coordinates, block, stride } = randomPair(below);
    const count = chunks.reduce((a, b) => a * b, 1);
    const numbers = Float64Array.from({ length: count }, (_, k) => k + 1);
    const data = below(2) === 0 ? numbers : Array.from(numbers, String);
    const origin = chunks.map((length, axis) => length * coordinates[axis]!);
    const wanted = [...placesOf(block)].map((place) => {
      const inside = place.map((k, axis) => k - origin[axis]!);
      const there = inside.every((k, axis) => k >= 0 && k < chunks[axis]!);
      return there ? data[inside.reduce((sum, k, axis) => sum + k * stride[axis]!, 0)]! : 0;
    });
    const target = Array.isArray(data)
      ? new Array(wanted.length).fill(0)
      : new Float64Array(wanted.length);
    const copied = copyChunk(target, { chunk: { data, stride, coordinates }, chunks, block });
    assert.equal(copied, wanted.filter((value) => value !== 0).length);
    assert.deepEqual([...target], wanted, JSON.stringify({ chunks, coordinates, block, stride }));
  }
});

/** A group of sparse rows, uncompressed in chunks of some values; row r has 1000 + r % 7 values, that of number k being k. */
async function sparseGroup(nRows: number, chunk: number): Promise<StorageGroup> {
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const bounds = Int32Array.from(
    { length: nRows + 1 },
    (_, row) => 1000 * row + 21 * Math.floor(row / 7) + (row % 7) * (row % 7 - 1) / 2,
  );
  const count = bounds.at(-1)!;
  const starts = Int32Array.from({ length: count }, () => 0);
  for (let r = 0; r < nRows; r++) starts.fill(bounds[r]!, bounds[r], bounds[r + 1]);
  const arrays = {
    indptr: bounds,
    indices: Int32Array.from(starts, (start, k) => 3 * (k - start)),
    data: Float32Array.from({ length: count }, (_, k) => k),
  };
  const values = new Map([[".zgroup", json({ zarr_format: 2 })]]);
  for (const [name, data] of Object.entries(arrays)) {
    const size = name === "indptr" ? data.length : chunk;
    const dtype = name === "data" ? "<f4" : "<i4";
    const meta = { zarr_format: 2, shape: [data.length], chunks: [size], dtype, order: "C" };
    values.set(
      `${name}/.zarray`,
      json({ ...meta, fill_value: 0, filters: null, compressor: null }),
    );
    for (let at = 0; at < data.length; at += size) {
      const padded = new (data.constructor as typeof Int32Array)(size);
      padded.set(data.subarray(at, at + size));
      values.set(`${name}/${at / size}`, new Uint8Array(padded.buffer));
    }
  }
  return (await openNodes(await openHierarchy(memoryStore(values)), "")).root;
}

Deno.test("rows() ends pieces with large chunks, of which they are views", async () => {
  const [nRows, chunk] = [700, 300_000];
  const group = await sparseGroup(nRows, chunk);
  const X = await openSparse(group, { format: "csr", shape: [nRows, 4000] });
  let [next, views, own] = [0, 0, 0];
  for await (const { indptr, indices, data, nRows: count } of X.rows()) {
    for (let row = 0; row < count; row++) {
      for (let k = indptr[row]!; k < indptr[row + 1]!; k++) {
        assert.ok(data[k] === next++ && indices[k] === 3 * (k - indptr[row]!));
      }
    }
    if (data.buffer.byteLength === 4 * chunk) views++;
    else {
      own++;
      assert.equal(count, 1); // the row that two chunks share
    }
  }
  assert.deepEqual([views, own], [3, 2]);
  const batches: number[] = [];
  for await (const { nRows: count } of X.rows({ batch: 64 })) batches.push(count);
  assert.deepEqual(batches, [...new Array(10).fill(64), 60]);
});

Deno.test("read() fetches chunks that lie side by side in a shard at once", async () => {
  const store = memoryStore(await fixtureMap("odd_v3"));
  let asked = 0;
  const counting: ZarrStore = {
    ...store,
    get: (key, range) => (asked += range === undefined ? 0 : 1, store.get(key, range)),
  };
  const { root } = await openNodes(await openHierarchy(counting), "");
  const array = await root.get("sharded") as StorageArray;
  const block = await array.read([[0, 4], [0, 4]]) as Float32Array;
  assert.deepEqual([block[0], block[15]], [0, 24]);
  assert.equal(asked, 2); // the index, and four chunks
  await array.read([[0, 2], [0, 7]]);
  assert.equal(asked, 4); // the other shard in these rows, and its index
});

Deno.test("fetching a chunk of a shard finds it too where it was not wanted before", async () => {
  const store = memoryStore(await fixtureMap("odd_v3"));
  const json = JSON.parse(new TextDecoder().decode(await store.get("sharded/zarr.json")));
  const { layout } = arrayMeta(json, 3);
  const array = { store, path: "sharded", layout: layout!, shards: layout!.shards! };
  const { find } = await shardedChunks({ ...array, cache: new ChunkCache() });
  const want = await (await find([[1, 1]]))([1, 1]);
  assert.ok(want!.length > 0);
  assert.deepEqual(await (await find([]))([1, 1]), want);
  assert.deepEqual(await (await find([[0, 0]]))([1, 1]), want);
});

Deno.test("ChunkCache drops chunks that were read to the end before others", async () => {
  const cache = new ChunkCache();
  const loaded: string[] = [];
  const get = (key: string) =>
    cache.get(key, () => {
      loaded.push(key);
      return Promise.resolve({ data: new Uint8Array(1 << 22), stride: [1] });
    });
  for (let k = 0; k < 6; k++) {
    await get(`${k}`);
    cache.took(`${k}`, k === 1 ? 1 << 20 : 1 << 22);
  }
  // 16 MiB are kept of what was read: here the last three, and the second, of which a part is unread.
  assert.deepEqual(["0", "1", "2", "3", "4", "5"].map((key) => cache.has(key)), [
    ...[false, true, false],
    ...[true, true, true],
  ]);
  for (let k = 6; k < 30; k++) await get(`${k}`); // unread: 64 MiB are kept
  assert.equal(Array.from({ length: 30 }, (_, k) => cache.has(`${k}`)).filter(Boolean).length, 16);
  assert.equal(loaded.length, 30);
});
