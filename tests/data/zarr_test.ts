import assert from "node:assert/strict";
import { FormatError, type FormatErrorKind, openSource } from "../../data/mod.ts";
import { openZarr, type ZarrSource } from "../../data/zarr/mod.ts";
import { openHierarchy } from "../../data/zarr/hierarchy.ts";
import { openNodes } from "../../data/zarr/nodes.ts";
import { memoryStore } from "../../data/zarr/store.ts";
import { zipStore } from "../../data/zarr/store_zip.ts";
import type { StorageArray, StorageGroup } from "../../data/storage.ts";
import { openFixture, TempFolder } from "./fixtures.ts";
import { assertSame } from "./same.ts";
import { fixtureMap, zarrFixture, ZarrServer } from "./zarr_fixtures.ts";

/** Checks that an act fails with a FormatError of a kind about a key. */
async function rejectsWith(act: Promise<unknown>, kind: FormatErrorKind, key: string) {
  await assert.rejects(act, (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.deepEqual([error.kind, error.key], [kind, key], error.message);
    return true;
  });
}

/** Opens the groups and arrays of a fixture. */
async function openOdd(version: 2 | 3): Promise<{ root: StorageGroup; [Symbol.dispose](): void }> {
  const store = await zipStore(await openSource(zarrFixture(`odd_v${version}`)));
  const { root, close } = await openNodes(await openHierarchy(store), "");
  return { root, [Symbol.dispose]: close };
}

/** An array of a group. */
async function arrayOf(root: StorageGroup, name: string): Promise<StorageArray> {
  const node = await root.get(name);
  assert.equal(node?.node, "array", name);
  return node as StorageArray;
}

for (const version of [2, 3] as const) {
  Deno.test(`openZarr() reads version ${version} as openH5ad() reads the same cells`, async () => {
    using actual = await openZarr(zarrFixture(`columns_v${version}`));
    using expected = await openFixture("columns");
    await assertSame(actual, expected);
  });

  Deno.test(`openZarr() reads version ${version} from every kind of source`, async () => {
    const values = await fixtureMap(`columns_v${version}`);
    using folder = new TempFolder();
    for (const [key, bytes] of values) {
      const path = folder.file(key);
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeFile(path, bytes);
    }
    const zip = await Deno.readFile(zarrFixture(`columns_v${version}`));
    await using server = new ZarrServer(new Map([...values, ["cells.zarr.zip", zip]]));
    const store = memoryStore(values);
    const sources: ZarrSource[] = [
      folder.path,
      new URL(`file://${folder.path}/`),
      zip,
      new File([zip], "cells.zarr.zip"),
      values,
      new Map([...values].map(([key, bytes]) => [`/${key}`, new Blob([new Uint8Array(bytes)])])),
      server.url,
      `${server.url}cells.zarr.zip`,
      { name: "own", get: (key, range) => store.get(key, range) },
    ];
    using expected = await openFixture("columns");
    for (const source of sources) {
      using actual = await openZarr(source);
      await assertSame(actual, expected);
    }
  });

  Deno.test(`openZarr() lists a store of version ${version} without consolidated metadata`, async () => {
    const values = await fixtureMap(`columns_v${version}`);
    values.delete(".zmetadata");
    if (version === 3) values.set("zarr.json", withoutConsolidated(values.get("zarr.json")!));
    using actual = await openZarr(values);
    using expected = await openFixture("columns");
    await assertSame(actual, expected);
    await using server = new ZarrServer(values);
    await rejectsWith(openZarr(server.url), "not-zarr", "/");
  });
}

/** The root's metadata without those of the other nodes. */
function withoutConsolidated(bytes: Uint8Array): Uint8Array {
  const { consolidated_metadata: _, ...root } = JSON.parse(new TextDecoder().decode(bytes));
  return new TextEncoder().encode(JSON.stringify(root));
}

/** 0 to 34 in five rows of seven. */
const GRID = Array.from({ length: 35 }, (_, k) => k);

Deno.test("openZarr() reads every layout of version 2", async () => {
  using odd = await openOdd(2);
  for (const name of ["big", "half", "fortran", "slash", "long"]) {
    const array = await arrayOf(odd.root, name);
    const data = await array.read() as ArrayLike<number | bigint>;
    assert.deepEqual(Array.from(data, Number), GRID, name);
    const block = await array.read([[1, 4], [2, 6]]) as ArrayLike<number | bigint>;
    const rows = [1, 2, 3].flatMap((row) => [2, 3, 4, 5].map((column) => 7 * row + column));
    assert.deepEqual(Array.from(block, Number), rows, name);
  }
  const flags = await (await arrayOf(odd.root, "flag")).read();
  assert.deepEqual(flags, Uint8Array.from(GRID, (value) => value === 0 ? 0 : 1));
  assert.deepEqual(await (await arrayOf(odd.root, "fixed")).read(), ["ab", "ü", ""]);
  assert.deepEqual(await (await arrayOf(odd.root, "bytes")).read(), ["ab", "c"]);
  const empty = await (await arrayOf(odd.root, "empty_chunks")).read();
  assert.deepEqual(empty, new Float32Array(5).fill(1.5));
  for (const name of ["vlen", "json", "categories"]) {
    const texts = await (await arrayOf(odd.root, name)).read([[1, 5]]);
    assert.deepEqual(texts, ["", "ü", "d", "a"], name);
  }
});

Deno.test("openZarr() reads every layout of version 3", async () => {
  using odd = await openOdd(3);
  for (const name of ["sharded", "index_first", "big", "fortran", "gzip", "half"]) {
    const array = await arrayOf(odd.root, name);
    assert.deepEqual(Array.from(await array.read() as Float32Array), GRID, name);
    const block = await array.read([[4, 5], [5, 9]]) as Float32Array;
    assert.deepEqual(Array.from(block), [33, 34], name);
  }
  assert.deepEqual((await arrayOf(odd.root, "sharded")).chunks, [2, 2]);
  assert.deepEqual(await (await arrayOf(odd.root, "nan")).read(), new Float64Array(5).fill(NaN));
  assert.deepEqual(await (await arrayOf(odd.root, "texts")).read(), ["a", "", "ü", "d", "a"]);
  assert.deepEqual(await (await arrayOf(odd.root, "fixed")).read(), ["ab", "ü", ""]);
});

Deno.test("openZarr() reads structured rows whose chunks lie in columns", async () => {
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const dtype = [["a", "<u2"], ["b", "|u1"]];
  const meta = { zarr_format: 2, shape: [2, 3], chunks: [2, 3], dtype, order: "F" };
  const rows = [0, 3, 1, 4, 2, 5].flatMap((k) => [k, 1, 10 * k]); // numpy's rows stay whole
  const values = new Map([
    [".zgroup", json({ zarr_format: 2 })],
    ["rows/.zarray", json({ ...meta, fill_value: null, filters: null, compressor: null })],
    ["rows/0.0", new Uint8Array(rows)],
  ]);
  const { root } = await openNodes(await openHierarchy(memoryStore(values)), "");
  const { fields } = await (await arrayOf(root, "rows")).read() as { fields: Map<string, unknown> };
  assert.deepEqual(fields.get("a"), Uint16Array.from([256, 257, 258, 259, 260, 261]));
  assert.deepEqual(fields.get("b"), Uint8Array.from([0, 10, 20, 30, 40, 50]));
});

/** Changes the JSON under a key; version 3's metadata lie in the root too and are dropped there. */
function patched(
  values: ReadonlyMap<string, Uint8Array>,
  key: string,
  change: object,
): Map<string, Uint8Array> {
  const json = JSON.parse(new TextDecoder().decode(values.get(key)!));
  const bytes = new TextEncoder().encode(JSON.stringify({ ...json, ...change }));
  const root = withoutConsolidated(values.get("zarr.json")!);
  return new Map([...values, ["zarr.json", root], [key, bytes]]);
}

/** Shards inside shards, which nobody writes. */
const SHARDS = {
  name: "sharding_indexed",
  configuration: { chunk_shape: [1], codecs: [{ name: "sharding_indexed" }], index_codecs: [] },
};

Deno.test("openZarr() refuses an array that it cannot read, and reads the rest", async () => {
  const values = await fixtureMap("columns_v3");
  const cases: [object, FormatErrorKind, RegExp][] = [
    [{ data_type: "complex64" }, "encoding", /its type is complex64/],
    [{ shape: [1e13] }, "value", /at most 2147483648 elements: got 10000000000000/],
    [{ chunk_grid: { name: "regular" } }, "encoding", /shape \[4\] and its chunks do not fit/],
    [{ codecs: [{ name: "bytes" }, { name: "lzma" }] }, "missing-filter", /the codec lzma/],
    [{ codecs: [{ name: "vlen-utf8" }] }, "value", /its codec vlen-utf8 cannot be made: the ele/],
    [{ data_type: "string", codecs: [] }, "value", /its codec bytes cannot be made: texts/],
    [{ codecs: [SHARDS, { name: "gzip" }] }, "missing-filter", /codecs of whole shards .*: gzip/],
    [{ codecs: [SHARDS] }, "missing-filter", /the codec sharding_indexed is not available/],
  ];
  for (const [change, kind, message] of cases) {
    using adata = await openZarr(patched(values, "obs/score/zarr.json", change));
    await rejectsWith(adata.obs.column("score"), kind, "obs/score");
    await assert.rejects(adata.obs.column("score"), message);
    assert.equal((await adata.obs.column("n_genes", "numeric")).at(0), 3);
  }
});

Deno.test("openZarr() refuses a damaged chunk and never invents values", async () => {
  const values = await fixtureMap("columns_v3");
  const chunk = values.get("obs/score/c/0")!;
  const short = patched(values, "obs/score/zarr.json", { codecs: [{ name: "bytes" }] });
  const damaged = [
    new Map([...values, ["obs/score/c/0", chunk.subarray(0, chunk.length - 3)]]),
    new Map([...values, ["obs/score/c/0", new Uint8Array(0)]]),
    new Map([...short, ["obs/score/c/0", new Uint8Array(8)]]),
    new Map([...short, ["obs/score/c/0", new Uint8Array(7)]]),
  ];
  for (const store of damaged) {
    using adata = await openZarr(store);
    await rejectsWith(adata.obs.column("score"), "value", "obs/score");
  }
  const odd = await fixtureMap("odd_v3");
  const shard = odd.get("sharded/c/0/0")!.slice();
  shard[shard.length - 30]! ^= 1; // a bit of the shard's index
  odd.set("sharded/c/0/0", shard);
  const { root } = await openNodes(await openHierarchy(memoryStore(odd)), "");
  await rejectsWith((await arrayOf(root, "sharded")).read(), "value", "sharded");
});

Deno.test("openZarr() refuses an entry of a ZIP file whose checksum does not fit", async () => {
  const zip = await Deno.readFile(zarrFixture("columns_v3"));
  const store = await zipStore(await openSource(zip));
  const name = new TextEncoder().encode("obs/score/c/0");
  const at = zip.findIndex((_, k) => name.every((byte, i) => zip[k + i] === byte));
  zip[at + name.length + 5]! ^= 1; // a bit of the packed bytes behind the name
  await rejectsWith(store.get("obs/score/c/0"), "value", "obs/score/c/0");
});

Deno.test("openZarr() says what is no zarr store", async () => {
  await rejectsWith(openZarr(new Map()), "not-zarr", "/");
  await assert.rejects(openZarr("/nowhere.zarr"), Deno.errors.NotFound);
  const zip = await Deno.readFile(zarrFixture("columns_v2"));
  await rejectsWith(openZarr(zip.subarray(0, zip.length - 100)), "value", "/");
  await rejectsWith(
    openZarr(zarrFixture("columns_v2"), { path: "mod/rna" }),
    "not-zarr",
    "mod/rna",
  );
  await assert.rejects(
    openZarr(zip, { pathh: "" } as never),
    /the option "pathh" is not known: did you mean "path"/,
  );
});

Deno.test("openZarr() asks a server again that fails for a moment, and passes its fetch on", async () => {
  const values = await fixtureMap("columns_v3");
  const failed = new Set<string>();
  await using server = new ZarrServer(values, (key) => {
    if (failed.has(key) || !key.startsWith("X/")) return 0;
    failed.add(key);
    return 503;
  });
  const seen: string[] = [];
  using adata = await openZarr(server.url, {
    fetch: (input, init) => (seen.push(String(input)), fetch(input, init)),
  });
  const sums: number[] = [];
  for await (const rows of adata.X!.rows()) sums.push([...rows.data].reduce((a, b) => a + b, 0));
  assert.deepEqual(sums, [15.5]);
  assert.ok(failed.size >= 3 && seen.length === server.asked.length);
  const zip = await Deno.readFile(zarrFixture("columns_v3"));
  await using zips = new ZarrServer(new Map([["cells.zarr.zip", zip]]));
  const asked: string[] = [];
  using zipped = await openZarr(`${zips.url}cells.zarr.zip?key=1`, {
    fetch: (input, init) => (asked.push(String(input)), fetch(input, init)),
  });
  assert.equal(zipped.nObs, 4);
  assert.ok(asked.length > 3 && asked.every((address) => address.endsWith(".zip?key=1")));
  await using broken = new ZarrServer(values, (key) => key.includes("/") ? 403 : 0);
  await assert.rejects(openZarr(broken.url), /the server answered 403/);
});

Deno.test("openZarr() reads on within a chunk without fetching it again", async () => {
  await using server = new ZarrServer(await fixtureMap("columns_v3"));
  using adata = await openZarr(server.url);
  const before = server.asked.length;
  for (let row = 0; row < adata.nObs; row++) {
    for await (const _ of adata.X!.rows({ start: row, end: row + 1 })) { /* reads */ }
  }
  assert.equal(server.asked.length - before, 3); // data, indices, indptr
});
