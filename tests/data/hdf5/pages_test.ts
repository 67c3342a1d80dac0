import assert from "node:assert/strict";
import { Pages } from "../../../data/hdf5/pages.ts";
import { type ByteSource, openSource } from "../../../data/source.ts";

/** A source over bytes in memory, and what was asked of it. */
async function recorded(bytes: Uint8Array): Promise<{ source: ByteSource; asked: number[][] }> {
  const source = await openSource(bytes);
  const asked: number[][] = [];
  const read: ByteSource["read"] = (offset, length) => {
    asked.push([offset, length]);
    return source.read(offset, length);
  };
  return { source: { ...source, read }, asked };
}

/** Bytes that were asked for. */
function total(asked: readonly number[][]): number {
  return asked.reduce((sum, [, length]) => sum + length!, 0);
}

Deno.test("Pages gives the bytes that are there, and fetches small parts once", async () => {
  const bytes = Uint8Array.from({ length: 1_000_001 }, (_, k) => (k * 7) % 251);
  const { source, asked } = await recorded(bytes);
  const pages = new Pages(source);
  for (const [at, length] of [[0, 8], [999_990, 11], [5, 0], [130_000, 200_000], [65_530, 12]]) {
    assert.deepEqual(await pages.read(at!, length!), bytes.slice(at, at! + length!), `${at}`);
  }
  const fetched = total(asked);
  await pages.read(140_000, 100_000);
  assert.equal(total(asked), fetched);
});

Deno.test("Pages reads ahead more and more, and starts again after a jump", async () => {
  const { source, asked } = await recorded(new Uint8Array(8 << 20));
  const pages = new Pages(source);
  for (let at = 0; at < 1 << 20; at += 4096) await pages.read(at, 4096);
  assert.deepEqual(asked.map(([, length]) => length! / (1 << 16)), [1, 2, 4, 8, 16]);
  await pages.read(7 << 20, 1);
  assert.equal(asked.at(-1)![1], 1 << 16);
});

Deno.test("Pages refuses what is not in the file before memory is taken for it", async () => {
  const { source, asked } = await recorded(new Uint8Array(100));
  const pages = new Pages(source);
  for (const [at, length] of [[0, 101], [100, 1], [-1, 2], [0, 2 ** 50], [2 ** 60, 1]]) {
    await assert.rejects(pages.read(at!, length!), /are not in a file of 100/);
  }
  assert.equal(asked.length, 0);
});

Deno.test("Pages asks again for what failed", async () => {
  const { source } = await recorded(new Uint8Array(100).fill(3));
  let fails = 1;
  const read: ByteSource["read"] = (offset, length) =>
    fails-- > 0 ? Promise.reject(new Error("no answer")) : source.read(offset, length);
  const pages = new Pages({ ...source, read });
  await assert.rejects(pages.read(0, 4), /no answer/);
  assert.deepEqual(await pages.read(0, 4), new Uint8Array(4).fill(3));
});
