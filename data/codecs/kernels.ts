/**
 * LZ4 and shuffles in WebAssembly with SIMD; lz4.ts and shuffle.ts say the same in TypeScript, and are taken where an engine has no SIMD or
 * a page forbids WebAssembly.
 */
import { KERNELS } from "./build/kernels.ts";

/** Exports of the module. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  unpackLz4(at: number, end: number, to: number, toEnd: number): number;
  unshuffle(from: number, stride: number, size: number, to: number, count: number): void;
}

/** Bytes of elements that are put together at a time. */
const TILE = 1 << 16;

/** Bytes behind each part of the memory that copies of 16 bytes may reach. */
const SLACK = 64;

/** Places: behind the module's own tables a tile, then a block, then what is packed. */
const TILE_AT = 1 << 12;
const BLOCK_AT = TILE_AT + TILE + SLACK;

const PAGE = 1 << 16;

/** Most bytes of a block, so that the memory, which never shrinks, stays small; larger ones are left to TypeScript. */
export const MOST_OF_BLOCK = 1 << 24;

/** Most bytes of an element. */
export const MOST_OF_ELEMENT = 256;

/** The most bytes that a compressor of the LZ family makes of some that it cannot pack. */
const mostPacked = (length: number) => length + Math.ceil(length / 255) + 16;

/** The kernels over a memory of their own, which has room for one block, packed and unpacked. */
export class Kernels {
  readonly #exports: Exports;
  #memory: Uint8Array;
  #block = 0;

  /** Wraps an instance. */
  constructor(exports: Exports) {
    this.#exports = exports;
    this.#memory = new Uint8Array(exports.memory.buffer);
  }

  /** Memory for a block, which need not be copied to be unshuffled; the next call of any method may move it or write there. */
  block(length: number): Uint8Array {
    if (length > this.#block) {
      const end = BLOCK_AT + length + mostPacked(length) + 2 * SLACK;
      const missing = Math.ceil((end - this.#memory.length) / PAGE);
      if (missing > 0) this.#exports.memory.grow(missing);
      this.#memory = new Uint8Array(this.#exports.memory.buffer);
      this.#block = length;
    }
    return this.#memory.subarray(BLOCK_AT, BLOCK_AT + length);
  }

  /** Unpacks a block of LZ4 that must fill `out`, or a part of one that must fill that part; throws where it is damaged. */
  unpackLz4(packed: Uint8Array, out: Uint8Array): void {
    if (packed.length > mostPacked(out.length)) {
      throw new RangeError(`${packed.length} bytes are too many for a block of ${out.length}`);
    }
    const own = out.buffer === this.#memory.buffer;
    const part = own ? out : this.block(out.length);
    const at = BLOCK_AT + this.#block + SLACK;
    this.#memory.set(packed, at);
    const [end, to] = [at + packed.length, part.byteOffset];
    const bad = this.#exports.unpackLz4(at, end, to, to + part.length);
    if (bad !== 0) throw new RangeError(`a block is damaged before byte ${bad - at}`);
    if (!own) out.set(part);
  }

  /** Puts the bytes of each element together again; bytes that make no whole element were copied. */
  unshuffle(bytes: Uint8Array, size: number, out: Uint8Array): void {
    const count = Math.floor(bytes.length / size);
    const own = bytes.buffer === this.#memory.buffer;
    const step = Math.floor(TILE / size) & ~15;
    for (let done = 0; done < count; done += step) {
      const some = Math.min(step, count - done);
      const from = own ? bytes.byteOffset + done : this.#gather(bytes, [done, some, count]);
      this.#exports.unshuffle(from, own ? count : some, size, TILE_AT, some);
      out.set(this.#memory.subarray(TILE_AT, TILE_AT + some * size), done * size);
    }
    out.set(bytes.subarray(count * size), count * size);
  }

  /** Copies some elements' part of each plane into the memory; returns the place. */
  #gather(bytes: Uint8Array, [done, some, count]: readonly [number, number, number]): number {
    this.block(TILE);
    const planes = Math.floor(bytes.length / count);
    for (let plane = 0; plane < planes; plane++) {
      const from = plane * count + done;
      this.#memory.set(bytes.subarray(from, from + some), BLOCK_AT + plane * some);
    }
    return BLOCK_AT;
  }
}

let loading: Promise<Kernels | undefined> | undefined;

/** Loads the kernels; undefined where the engine has no SIMD, or a page forbids WebAssembly. */
export function loadKernels(): Promise<Kernels | undefined> {
  return loading ??= compile();
}

async function compile(): Promise<Kernels | undefined> {
  const text = atob(KERNELS.replaceAll("\n", ""));
  const binary = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const source = await WebAssembly.instantiate(binary).catch(() => undefined);
  return source && new Kernels(source.instance.exports as unknown as Exports);
}
