import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cachedStore,
  directoryCache,
  directoryStore,
  httpStore,
  memoryStore,
  openSoma,
  type Store,
} from "../../../data/soma/mod.ts";
import { TempFolder } from "../fixtures.ts";
import { S3Server } from "./s3_server.ts";
import { plainColumn } from "./plain.ts";
import { fixturePath } from "./stores.ts";

Deno.test("cachedStore() reads a store a second time without a request", async () => {
  using folder = new TempFolder();
  await using server = new S3Server(directoryStore(fixturePath("")));
  const read = async () => {
    const cache = directoryCache(folder.file("cache"));
    const store = cachedStore(httpStore(`${server.url}census/census_data/homo_sapiens`), { cache });
    const obs = await (await openSoma(store, { type: "SOMAExperiment" })).obs();
    return (await obs.readAll()).column("cell_id");
  };
  const first = await read();
  const { requests } = server;
  assert.deepEqual(plainColumn(await read()), plainColumn(first));
  assert.equal(server.requests, requests);
  // A file that was cut short is read again.
  for await (const { name: part } of Deno.readDir(folder.file("cache"))) {
    for await (const { name } of Deno.readDir(folder.file(`cache/${part}`))) {
      await Deno.truncate(folder.file(`cache/${part}/${name}`), 1);
    }
  }
  assert.deepEqual(plainColumn(await read()), plainColumn(first));
  assert.ok(server.requests > requests);
});

Deno.test("cachedStore() gives the bytes of any range, and reads none twice", async () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7 % 251);
  const ranges = fc.array(
    fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length)).map(([a, b]) => ({
      offset: Math.min(a, b),
      length: Math.abs(a - b),
    })),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(ranges, async (ranges) => {
      const inner = memoryStore(new Map([["folder/file", bytes]]));
      let fetched = 0;
      const counted: Store = {
        ...inner,
        read: (path, range) => (fetched += range.length, inner.read(path, range)),
      };
      const kept = new Map<string, Uint8Array<ArrayBuffer>>();
      const store = cachedStore(counted, {
        cache: {
          get: (key) => Promise.resolve(kept.get(key)),
          put: (key, bytes) => Promise.resolve(void kept.set(key, bytes)),
        },
      });
      for (const { offset, length } of ranges) {
        const read = await store.read("folder/file", { offset, length });
        assert.deepEqual(read, bytes.slice(offset, offset + length));
      }
      assert.ok(fetched <= bytes.length);
    }),
    { seed: 3, numRuns: 60 },
  );
});

Deno.test("cachedStore() says what is not there, and reads without what cannot be kept", async () => {
  const store = cachedStore(memoryStore(new Map([["a", Uint8Array.of(1)]])), {
    cache: { get: () => Promise.resolve(undefined), put: () => Promise.reject(new Error("full")) },
  });
  await assert.rejects(
    store.read("b", { offset: 0, length: 1 }),
    /not there \(key b of store in memory\)/,
  );
  await assert.rejects(store.read("a", { offset: 0, length: 2 }), /a has 1 bytes/);
  assert.deepEqual([...await store.read("a", { offset: 0, length: 1 })], [1]);
});
