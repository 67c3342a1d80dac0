import assert from "node:assert/strict";
import { constants, deflateSync, gzipSync, inflateSync, zstdCompressSync } from "node:zlib";
import { FormatError } from "../../data/mod.ts";
import type { StorageArray } from "../../data/storage.ts";
import { openHierarchy } from "../../data/zarr/hierarchy.ts";
import { openNodes } from "../../data/zarr/nodes.ts";
import { memoryStore } from "../../data/zarr/store.ts";
import { seeded } from "./seeded.ts";

/** A chunk that a reference packed, and the bytes that must come out. */
interface Packed {
  readonly name: string;
  readonly compressor: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
}

const FIXTURE = new URL("../fixtures/hdf5/filters.json", import.meta.url);
const { arrays, cases } = JSON.parse(Deno.readTextFileSync(FIXTURE));

/** Blosc's chunks, each compressor with each shuffle, as c-blosc packed them for HDF5: zarr's are the same. */
const BLOSC: Packed[] = cases
  .filter(({ filters, mask }: { filters: { id: number }[]; mask: number }) =>
    filters.length === 1 && filters[0]!.id === 32001 && mask === 0
  )
  .map(({ name, array, chunk }: { name: string; array: string; chunk: string }) => ({
    name,
    compressor: { id: "blosc", cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 },
    bytes: new Uint8Array(inflateSync(Uint8Array.fromBase64(arrays[array]!))),
    chunk: Uint8Array.fromBase64(chunk),
  }));

/** The place of Blosc's compressor in its flags. */
const ZLIB = 3;

const BYTES = new Uint8Array(5000).map((_, k) => k % 251 * (k >> 9));

/** Chunks of other compressors. */
async function others(): Promise<(Packed & { sum: boolean })[]> {
  const { default: LZ4 } = await import("numcodecs/lz4");
  const lz4 = await LZ4.fromConfig({ id: "lz4" }).encode(BYTES);
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  const packed = {
    gzip: { chunk: gzipSync(BYTES), sum: true },
    zlib: { chunk: deflateSync(BYTES), sum: true },
    zstd: { chunk: zstdCompressSync(BYTES, { params }), sum: true },
    "zstd without a checksum": { chunk: zstdCompressSync(BYTES), sum: false },
    lz4: { chunk: lz4, sum: false },
  };
  return Object.entries(packed).map(([name, { chunk, sum }]) => {
    const compressor = { id: name.split(" ")[0]! };
    return { name, compressor, bytes: BYTES, chunk: new Uint8Array(chunk), sum };
  });
}

/** An array of version 2 that has one chunk. */
async function arrayOf({ compressor, bytes }: Packed, chunk: Uint8Array): Promise<StorageArray> {
  const meta = {
    zarr_format: 2,
    shape: [bytes.length],
    chunks: [bytes.length],
    dtype: "|u1",
    fill_value: 0,
    order: "C",
    filters: null,
    compressor,
  };
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const store = memoryStore(
    new Map([[".zgroup", json({ zarr_format: 2 })], ["a/.zarray", json(meta)], ["a/0", chunk]]),
  );
  const { root } = await openNodes(await openHierarchy(store), "");
  return await root.get("a") as StorageArray;
}

/** What becomes of a damaged chunk: the data, or undefined for an error of ours that names the array. */
async function outcome(packed: Packed, chunk: Uint8Array): Promise<Uint8Array | undefined> {
  const array = await arrayOf(packed, chunk);
  try {
    const data = await array.read() as Uint8Array;
    assert.equal(data.length, packed.bytes.length);
    return data;
  } catch (error) {
    assert.ok(error instanceof FormatError, `${packed.name}: ${error}`);
    assert.deepEqual([error.kind, error.file, error.key], ["value", "zarr in memory", "a"]);
    assert.match(error.message, /^Cannot read chunk 0 of the array as it/);
    return undefined;
  }
}

/** Flips bits of a chunk from `start` on; says how many were noticed and how many gave other data. */
async function flip(packed: Packed, start: number, rounds: number) {
  const below = seeded(packed.chunk.length);
  const found = { noticed: 0, wrong: 0 };
  for (let round = 0; round < rounds; round++) {
    const chunk = packed.chunk.slice();
    chunk[start + below(chunk.length - start)]! ^= 1 << below(8);
    const data = await outcome(packed, chunk);
    if (data === undefined) found.noticed++;
    else if (data.some((byte, k) => byte !== packed.bytes[k])) found.wrong++;
  }
  return found;
}

Deno.test("openZarr() reads what each compressor packed", async () => {
  for (const packed of [...BLOSC, ...await others()]) {
    assert.deepEqual(await outcome(packed, packed.chunk), packed.bytes, packed.name);
  }
});

Deno.test("openZarr() refuses chunks that were cut off or are too long", async () => {
  for (const packed of [...BLOSC, ...await others()]) {
    const { chunk } = packed;
    for (const end of [0, 3, 15, chunk.length >> 1, chunk.length - 1]) {
      assert.equal(await outcome(packed, chunk.slice(0, end)), undefined, `${packed.name} ${end}`);
    }
    const long = new Uint8Array([...chunk, 0]);
    assert.equal(await outcome(packed, long), undefined, `${packed.name}, a byte more`);
    const other = { ...packed, bytes: new Uint8Array([...packed.bytes, 0]) };
    assert.equal(await outcome(other, chunk), undefined, `${packed.name}, of another length`);
  }
});

Deno.test("openZarr() gives an error or the right data where damage hits what a checksum covers", async () => {
  for (const packed of BLOSC.filter(({ chunk }) => chunk[2]! >> 5 === ZLIB)) {
    // Behind the header, which no sum covers; a sum of a block that was only copied is nowhere.
    const { noticed, wrong } = await flip(packed, 16, 60);
    const copied = (chunk: Uint8Array) => (chunk[2]! & 2) !== 0;
    assert.ok(noticed > 0 || copied(packed.chunk), packed.name);
    assert.equal(wrong, 0, packed.name);
  }
  for (const packed of (await others()).filter(({ sum }) => sum)) {
    const { noticed, wrong } = await flip(packed, 0, 200);
    assert.ok(noticed > 150, `${packed.name}: ${noticed}`);
    assert.equal(wrong, 0, packed.name);
  }
});

Deno.test("openZarr() gives an error or as much data where nothing checks damaged chunks", async () => {
  for (const packed of [...BLOSC, ...(await others()).filter(({ sum }) => !sum)]) {
    await flip(packed, 0, 60);
  }
});
