import assert from "node:assert/strict";
import { deflateSync, inflateSync } from "node:zlib";
import { FormatError } from "../../../data/mod.ts";
import { type Filter, openPipeline, type Pipeline } from "../../../data/hdf5/filters.ts";
import { inflateStream } from "../../../data/codecs/inflate.ts";
import { seeded } from "../seeded.ts";

/** A chunk that tests/fixtures/hdf5/make_filters.py recorded. */
interface Case {
  readonly name: string;
  readonly array: string;
  readonly elementSize: number;
  readonly filters: readonly Filter[];
  readonly mask: number;
  readonly chunk: string;
}

const FIXTURE = new URL("../../fixtures/hdf5/filters.json", import.meta.url);
const { arrays, cases }: { arrays: Record<string, string>; cases: Case[] } = JSON.parse(
  Deno.readTextFileSync(FIXTURE),
);
const PLACE = { file: "a.h5ad", key: "X" };

/** The pipeline of filters that are all there. */
async function pipelineOf(filters: readonly Filter[], elementSize = 4): Promise<Pipeline> {
  const pipeline = await openPipeline(filters, PLACE, elementSize);
  assert.ok(pipeline);
  return pipeline;
}

const filter = (id: number, ...values: number[]): Filter => ({ id, name: "", flags: 0, values });

/** The bytes that must come out. */
const wanted = ({ array }: Case) =>
  new Uint8Array(inflateSync(Uint8Array.fromBase64(arrays[array]!)));

Deno.test("openPipeline() unpacks the chunks that HDF5 and its plugins write", async () => {
  for (const item of cases) {
    const want = wanted(item);
    const pipeline = await pipelineOf(item.filters, item.elementSize);
    // An odd place in a larger buffer, as chunks have in a page of a file.
    const chunk = Uint8Array.fromBase64(item.chunk);
    const page = new Uint8Array(chunk.length + 8);
    for (const at of [0, 3]) {
      page.set(chunk, at);
      const view = page.subarray(at, at + chunk.length);
      const got = await pipeline.decode(view, item.mask, want.length);
      assert.deepEqual(new Uint8Array(got), want, item.name);
    }
  }
});

Deno.test("openPipeline() refuses chunks of another length", async () => {
  for (const item of cases) {
    const { length } = wanted(item);
    const pipeline = await pipelineOf(item.filters, item.elementSize);
    const chunk = Uint8Array.fromBase64(item.chunk);
    for (const wrong of [0, length - 1, length + 1, 2 * length, 2 ** 31]) {
      const decoding = async () => await pipeline.decode(chunk, item.mask, wrong);
      await assert.rejects(decoding, FormatError, `${item.name} as ${wrong}`);
    }
    // szip, nbit and scaleoffset write more than they need.
    const { id } = item.filters.at(-1)!;
    const end = id >= 4 && id <= 6 ? chunk.length >> 1 : chunk.length - 1;
    for (const cut of [chunk.subarray(0, end), chunk.subarray(0, 3), new Uint8Array(0)]) {
      const decoding = async () => await pipeline.decode(cut, item.mask, length);
      await assert.rejects(decoding, FormatError, `${item.name}, ${cut.length} bytes`);
    }
  }
});

Deno.test("openPipeline() gives an error or a chunk's length of bytes where chunks are damaged", async () => {
  const below = seeded(1);
  for (const item of cases) {
    const { length } = wanted(item);
    const pipeline = await pipelineOf(item.filters, item.elementSize);
    const chunk = Uint8Array.fromBase64(item.chunk);
    for (let round = 0; round < 60; round++) {
      const end = below(3) === 0 ? below(chunk.length + 1) : chunk.length;
      const damaged = chunk.slice(0, end);
      for (let n = below(4); n > 0 && end > 0; n--) {
        // Headers are hit as often as all that follows.
        damaged[below(below(2) === 0 ? Math.min(end, 24) : end)]! ^= 1 << below(8);
      }
      try {
        assert.equal((await pipeline.decode(damaged, item.mask, length)).length, length);
      } catch (error) {
        assert.ok(error instanceof FormatError && error.kind === "value", `${item.name}: ${error}`);
      }
    }
  }
});

Deno.test("openPipeline() names the filter that finds damage", async () => {
  const bytes = new Uint8Array(40).map((_, k) => k % 5);
  const gzip = new Uint8Array(deflateSync(bytes));
  const trailing = new Uint8Array([...gzip, 0]);
  const cases: [number, Uint8Array, RegExp][] = [
    [1, trailing, /^Cannot unpack a chunk with the filter gzip as it is damaged: 1 bytes follow/],
    [1, gzip.subarray(0, -1), /filter gzip as it is damaged: unexpected end/],
    [3, new Uint8Array(44).fill(1), /filter fletcher32 .*: the checksum does not fit the bytes/],
    [3, new Uint8Array(3), /filter fletcher32 .*: the checksum is missing/],
    [32000, new Uint8Array([0x20, 0]), /filter lzf .*: 40 bytes must come out: got 3/],
    [32004, new Uint8Array(12), /filter lz4 .*: 40 bytes must come out: got 0/],
    [32001, new Uint8Array(12), /filter blosc .*: its header is cut off/],
    [32001, new Uint8Array(16), /filter blosc .*: 0 bytes are claimed: got 16/],
    [32008, new Uint8Array(12), /filter bitshuffle .*: 40 bytes must come out: got 0/],
    [32015, new Uint8Array(12), /filter zstd .*: it is no Zstandard frame/],
    [307, new Uint8Array(12), /filter bzip2 .*: it is no bzip2 stream/],
    [32026, new Uint8Array(12), /filter blosc2 .*: its header is cut off/],
  ];
  for (const [id, chunk, message] of cases) {
    const pipeline = await pipelineOf([id === 32008 ? filter(id, 0, 5, 4, 0, 2) : filter(id)]);
    await assert.rejects(async () => await pipeline.decode(chunk, 0, 40), (error: FormatError) => {
      assert.deepEqual([error.kind, error.key, error.file], ["value", "X", "a.h5ad"]);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("inflateStream() does in a page what node:zlib does on a server", async () => {
  const bytes = new Uint8Array(100_000).map((_, k) => k % 251 * (k >> 9));
  const packed = new Uint8Array(deflateSync(bytes));
  const inflate = (chunk: Uint8Array, length: number) =>
    inflateStream(chunk, { length, exact: true });
  assert.deepEqual(await inflate(packed, bytes.length), bytes);
  assert.equal((await inflate(packed, bytes.length + 9)).length, bytes.length);
  await assert.rejects(inflate(packed, bytes.length - 1), /more than 99999 bytes come out/);
  // Pages refuse what is cut off; Deno's stream only ends early, which the pipeline sees.
  const half = inflate(packed.subarray(0, packed.length / 2), bytes.length);
  assert.ok((await half.catch(() => [])).length < bytes.length);
  await assert.rejects(inflate(new Uint8Array([...packed, 0]), bytes.length));
  await assert.rejects(inflate(packed.map((byte, k) => k === 900 ? byte ^ 1 : byte), bytes.length));
});

Deno.test("openPipeline() accepts the checksum of old libraries, whose bytes are swapped", async () => {
  const item = cases.find(({ filters }) => filters[0]!.id === 3)!;
  const pipeline = await pipelineOf(item.filters);
  const chunk = Uint8Array.fromBase64(item.chunk);
  const end = chunk.length - 4;
  const [a, b, c, d] = chunk.slice(end);
  chunk.set([b!, a!, d!, c!], end);
  const want = wanted(item);
  assert.deepEqual(await pipeline.decode(chunk, 0, want.length), want);
});

Deno.test("openPipeline() reads Blosc's chunks that were only copied", async () => {
  const bytes = [1, 2, 3];
  const chunk = new Uint8Array([2, 1, 2, 1, 3, 0, 0, 0, 3, 0, 0, 0, 19, 0, 0, 0, ...bytes]);
  const pipeline = await pipelineOf([filter(32001)]);
  assert.deepEqual(await pipeline.decode(chunk, 0, 3), new Uint8Array(bytes));
});

Deno.test("openPipeline() refuses filters that it does not know, by name", async () => {
  const unknown = { id: 32024, name: "jpeg", flags: 1, values: [] };
  const cases = [[unknown, "jpeg"], [filter(305), "unknown"], [filter(32013), "zfp"]] as const;
  for (const [one, label] of cases) {
    await assert.rejects(openPipeline([filter(2, 4), one], PLACE, 4), (error: FormatError) => {
      assert.equal(error.kind, "missing-filter");
      const reason = `Cannot read the array as the filter ${label} (number ${one.id}) is not ` +
        "available here: write the file with gzip, zstd or lz4 (key X of a.h5ad)";
      assert.equal(error.message, reason);
      return true;
    });
  }
});
