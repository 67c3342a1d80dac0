import assert from "node:assert/strict";
import type { StorageArray } from "../../data/storage.ts";
import { arrayMeta } from "../../data/zarr/array_meta.ts";
import { ChunkCache } from "../../data/zarr/chunk_cache.ts";
import { openHierarchy } from "../../data/zarr/hierarchy.ts";
import type { ZarrStore } from "../../data/zarr/mod.ts";
import { openNodes } from "../../data/zarr/nodes.ts";
import { shardedChunks } from "../../data/zarr/shards.ts";
import { memoryStore } from "../../data/zarr/store.ts";
import { fixtureMap } from "./zarr_fixtures.ts";

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
