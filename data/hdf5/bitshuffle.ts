/** Bitshuffle as a filter: https://github.com/kiyo-masui/bitshuffle, src/bshuf_h5filter.c. */
import type { Codec, Expected, UnpackBlock } from "../codecs/codec.ts";
import { loadLz4 } from "../codecs/load_kernels.ts";
import { loadZstdBlock } from "../codecs/load_zstd.ts";
import { unshuffleBits } from "../codecs/unshuffle_bits.ts";
import { FramedChunk } from "./framed_chunk.ts";

/** Bytes of a block whose length is not said, and the fewest elements of such a block. */
const TARGET_BYTES = 8192;
const FEWEST_ELEMENTS = 128;

/** The most bytes that one byte can stand for, through Zstandard. */
const DENSEST = 1 << 15;

/** Elements of the blocks of a chunk, each a multiple of 8; fewer than 8 are left over. */
function* blocksOf(count: number, perBlock: number): Generator<number> {
  const whole = count - count % 8;
  for (let at = 0; at < whole; at += perBlock) yield Math.min(perBlock, whole - at);
}

/** Elements of a block whose length is not said. */
function usualBlock(size: number): number {
  const elements = Math.floor(TARGET_BYTES / size);
  return Math.max(elements - elements % 8, FEWEST_ELEMENTS);
}

/** A chunk's elements in blocks. */
interface Layout {
  readonly size: number;
  readonly perBlock: number;
}

/** Undoes the shuffling of a chunk that is not packed. */
function unshuffleChunk(chunk: Uint8Array, { size, perBlock }: Layout): Uint8Array {
  const out = new Uint8Array(chunk.length);
  let at = 0;
  for (const count of blocksOf(Math.floor(chunk.length / size), perBlock)) {
    const end = at + count * size;
    out.set(unshuffleBits(chunk.subarray(at, end), size), at);
    at = end;
  }
  out.set(chunk.subarray(at), at);
  return out;
}

/** Unpacks the blocks of a chunk. */
function unpackBlocks(
  chunk: FramedChunk,
  out: Uint8Array,
  { size, perBlock, unpack }: Layout & { readonly unpack: UnpackBlock },
): void {
  const bits = new Uint8Array(Math.min(perBlock * size, out.length));
  let to = 0;
  for (const count of blocksOf(out.length / size, perBlock)) {
    const block = bits.subarray(0, count * size);
    unpack(chunk.next(), block);
    out.set(unshuffleBits(block, size), to);
    to += block.length;
  }
  const rest = chunk.rest();
  if (rest.length !== out.length - to) {
    throw new RangeError(`${out.length - to} bytes must follow its blocks: got ${rest.length}`);
  }
  out.set(rest, to);
}

/** Unpacks a chunk. */
function unpackChunk(
  bytes: Uint8Array,
  expected: Expected,
  { size, unpack }: { readonly size: number; readonly unpack: UnpackBlock },
): Uint8Array {
  const chunk = new FramedChunk(bytes, expected, DENSEST);
  const { length } = chunk;
  const perBlock = Math.floor(chunk.blockLength / size);
  checkLayout({ size, perBlock });
  if (length % size !== 0) throw new RangeError(`${length} bytes are no elements of ${size}`);
  const out = new Uint8Array(length);
  unpackBlocks(chunk, out, { size, perBlock, unpack });
  return out;
}

/** Refuses what no writer makes. */
function checkLayout({ size, perBlock }: Layout): void {
  if (size > 0 && perBlock > 0 && perBlock % 8 === 0) return;
  throw new RangeError(`${perBlock} elements of ${size} bytes are no block`);
}

/**
 * The codec of a filter.
 *
 * @param values Version in two numbers, bytes of an element, elements of a block or 0, compressor: 0 none, 2 LZ4, 3 Zstandard.
 */
export async function loadBitshuffle(
  [, , size, block, compressor]: readonly number[],
  elementSize: number,
): Promise<Codec> {
  const layout = { size: size ?? elementSize, perBlock: block || usualBlock(size ?? elementSize) };
  if (compressor === 2 || compressor === 3) {
    const unpack = compressor === 2 ? await loadLz4() : await loadZstdBlock();
    return (chunk, expected) => unpackChunk(chunk, expected, { size: layout.size, unpack });
  }
  return (chunk) => {
    checkLayout(layout);
    return unshuffleChunk(chunk, layout);
  };
}
