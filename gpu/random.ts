/**
 * The one random generator of the library: Philox4x32-10 (Salmon et al., SC 2011), a counter-based function, so a number depends
 * only on what is drawn and never on what was drawn before. The same bits come from WGSL and AssemblyScript.
 */

/** What a draw is for; each stream of numbers is independent of the others. */
export const STREAM = {
  init: 1,
  binning: 2,
  sampling: 3,
  masking: 4,
  dropout: 5,
  split: 6,
  solver: 7,
  order: 8,
} as const;

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/**
 * Philox4x32-10.
 *
 * @example
 * ```ts
 * import { philox } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
 * ```
 *
 * @param counter What is drawn: four words
 * @param key Seed: two words
 * @returns Four words, each uniform over 0 .. 2³²-1
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Upper 32 bits of the 64-bit product of two unsigned words. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16); // < 2^33: exact
  const cross = a0 * b1 + (mid % 65536);
  return (a1 * b1 + Math.floor(mid / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** A number in [0, 1) with 53 random bits from two words. */
export function uniform53(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/** The two key words of a seed, any integer from 0 to 2⁵³-1. */
export function seedKey(seed: number): readonly [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot seed the generator as a seed must be an integer from 0 to 2^53-1: got ${seed}`,
    );
  }
  return [seed >>> 0, Math.floor(seed / 4294967296)];
}

/**
 * A sequence of draws for one purpose: `next()` is element 0, 1, 2 … of the stream (seed, stream, entity).
 */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #stream: number;
  readonly #entity: readonly [number, number];
  #block = 0;
  #words: Words = [0, 0, 0, 0];
  #left = 0;

  /** Starts the stream `stream` of `seed` for one entity (a tensor, a cell), given as two words. */
  constructor(seed: number, stream: number, entity: readonly [number, number] = [0, 0]) {
    this.#key = seedKey(seed);
    this.#stream = stream;
    this.#entity = entity;
  }

  /** A number in [0, 1) with 53 random bits. */
  next(): number {
    if (this.#left === 0) {
      this.#words = philox(
        [this.#block++, this.#entity[0], this.#entity[1], this.#stream],
        this.#key,
      );
      this.#left = 2;
    }
    this.#left--;
    return this.#left === 1
      ? uniform53(this.#words[0], this.#words[1])
      : uniform53(this.#words[2], this.#words[3]);
  }

  /** An integer from 0 to n-1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A standard normal number (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}
