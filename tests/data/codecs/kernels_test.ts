import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { loadBlosc } from "../../../data/codecs/blosc.ts";
import type { Codec } from "../../../data/codecs/codec.ts";
import { loadKernels, MOST_OF_BLOCK } from "../../../data/codecs/kernels.ts";
import { lz4With, unshuffleWith } from "../../../data/codecs/load_kernels.ts";
import { loadZstd, loadZstdOfPages } from "../../../data/codecs/load_zstd.ts";
import { unpackLz4 } from "../../../data/codecs/lz4.ts";
import { unshuffle } from "../../../data/codecs/shuffle.ts";
import { type Random, seeded } from "../seeded.ts";

const kernels = (await loadKernels())!;

/** What comes out, or the kind of error. */
function outcome(act: () => Uint8Array): Uint8Array | string {
  try {
    return new Uint8Array(act());
  } catch (error) {
    return (error as Error).name;
  }
}

/** A block of LZ4 whose repetitions go back few bytes as well as many; its bytes come out of TypeScript. */
function lz4Block(below: Random): { block: Uint8Array; length: number } {
  const block: number[] = [];
  let length = 0;
  const put = (count: number) => {
    for (let rest = count - 15; rest >= 0; rest -= 255) block.push(Math.min(rest, 255));
  };
  for (let sequences = below(30); sequences >= 0; sequences--) {
    const literals = below(4) === 0 ? below(600) : below(20);
    const repeats = sequences === 0 ? 0 : below(4) === 0 ? below(600) : below(20);
    block.push(Math.min(literals, 15) << 4 | Math.min(repeats, 15));
    put(literals);
    for (let k = 0; k < literals; k++) block.push(below(256));
    length += literals;
    if (sequences === 0) break;
    const back = 1 + (below(3) === 0 ? below(Math.max(1, length)) : below(20));
    block.push(back & 255, back >> 8);
    put(repeats);
    length += repeats + 4;
  }
  return { block: new Uint8Array(block), length };
}

Deno.test("unpackLz4() of the kernels does what TypeScript does, with damaged blocks too", () => {
  const below = seeded(5);
  const seen = { whole: 0, damaged: 0 };
  const unpack = lz4With(kernels);
  for (let round = 0; round < 5000; round++) {
    const { block, length } = lz4Block(below);
    for (let n = below(3); n > 0; n--) block[below(block.length)]! ^= 1 << below(8);
    const cut = block.subarray(0, block.length - (below(8) === 0 ? below(block.length) : 0));
    const size = length + (below(8) === 0 ? below(9) - 4 : 0);
    const [want, got] = [unpackLz4, unpack].map((way) =>
      outcome(() => {
        const out = new Uint8Array(Math.max(0, size));
        way(cut, out);
        return out;
      })
    );
    assert.deepEqual(got, want, `round ${round}`);
    seen[typeof want === "string" ? "damaged" : "whole"]++;
  }
  assert.ok(seen.whole > 500 && seen.damaged > 500, JSON.stringify(seen));
});

Deno.test("unpackLz4() of the kernels writes no byte outside a part of their block", () => {
  const block = kernels.block(1 << 10);
  block.fill(7);
  const part = block.subarray(100, 164);
  // 64 literals, of which copies of 16 bytes may write more behind them, but not before.
  kernels.unpackLz4(new Uint8Array([0xf0, 49, ...new Array(64).fill(9)]), part);
  assert.deepEqual(new Set(part), new Set([9]));
  assert.deepEqual(new Set(block.subarray(0, 100)), new Set([7]));
  assert.ok(block.subarray(180).every((byte) => byte === 7));
});

Deno.test("unpackLz4() leaves blocks to TypeScript that would fill the kernels' memory", () => {
  const length = MOST_OF_BLOCK + 1;
  const count = length - 1 - 15 - 4 - 5;
  const more = [...new Array<number>(Math.floor(count / 255)).fill(255), count % 255];
  const block = new Uint8Array([0x1f, 3, 1, 0, ...more, 0x50, 1, 2, 3, 4, 5]);
  const out = new Uint8Array(length);
  assert.throws(() => lz4With(kernels)(block, out.subarray(0, -1)), RangeError);
  lz4With(kernels)(block, out);
  assert.deepEqual([out[length - 6], out[length - 5], out[length - 1]], [3, 1, 5]);
});

Deno.test("unshuffle() of the kernels does what TypeScript does", () => {
  const below = seeded(6);
  for (const size of [1, 2, 3, 4, 5, 8, 12, 16, 255, 300]) {
    for (const count of [0, 1, 7, 16, 33, 100, 4096, 40_001]) {
      const bytes = new Uint8Array(count * size + below(size)).map(() => below(256));
      const want = new Uint8Array(unshuffle(bytes, size));
      const label = `${count} of ${size}`;
      assert.deepEqual(new Uint8Array(unshuffleWith(kernels)(bytes, size)), want, label);
      const room = new Uint8Array(bytes.length).fill(1);
      unshuffleWith(kernels)(bytes, size, room);
      assert.deepEqual(room, want, label);
      unshuffleWith(undefined)(bytes, size, room.fill(1));
      assert.deepEqual(room, want, label);
      const planes = kernels.block(bytes.length);
      planes.set(bytes);
      unshuffleWith(kernels)(planes, size, room.fill(1));
      assert.deepEqual(room, want, label);
    }
  }
});

/** Chunks of a filter that a reference packed. */
function chunksOf(id: number): { name: string; chunk: Uint8Array; bytes: Uint8Array }[] {
  const file = new URL("../../fixtures/hdf5/filters.json", import.meta.url);
  const { arrays, cases } = JSON.parse(Deno.readTextFileSync(file));
  interface Case {
    name: string;
    array: string;
    chunk: string;
    mask: number;
    filters: { id: number }[];
  }
  return (cases as Case[])
    .filter(({ filters, mask }) => filters.length === 1 && filters[0]!.id === id && mask === 0)
    .map(({ name, array, chunk }) => ({
      name,
      chunk: Uint8Array.fromBase64(chunk),
      bytes: new Uint8Array(inflateSync(Uint8Array.fromBase64(arrays[array]))),
    }));
}

/** Checks that a codec unpacks chunks whose length is known or not, and refuses other lengths. */
async function checkCodec(codec: Codec, id: number): Promise<void> {
  const chunks = chunksOf(id);
  assert.ok(chunks.length > 0);
  for (const { name, chunk, bytes } of chunks) {
    const { length } = bytes;
    for (const expected of [{ length, exact: true }, { length: 2 ** 30, exact: false }]) {
      assert.deepEqual(new Uint8Array(await codec(chunk, expected)), bytes, name);
    }
    const wrong = async () => await codec(chunk, { length: length + 1, exact: true });
    await assert.rejects(wrong, RangeError, name);
  }
}

Deno.test("loadBlosc() unpacks with kernels and without", async () => {
  await checkCodec(await loadBlosc(), 32001);
  await checkCodec(await loadBlosc(Promise.resolve(undefined)), 32001);
});

Deno.test("loadZstd() unpacks as a server does and as pages do", async () => {
  await checkCodec(await loadZstd(), 32015);
  await checkCodec(await loadZstdOfPages(), 32015);
});
