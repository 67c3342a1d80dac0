/** Bitshuffle: https://github.com/kiyo-masui/bitshuffle, src/bitshuffle_core.c. */
import { unshuffle } from "./shuffle.ts";

/**
 * Puts the bits of elements together again, whose number must be a multiple of 8: bit b of byte k of element e lies in row 8 k + b, bit e.
 */
export function unshuffleBits(bits: Uint8Array, size: number): Uint8Array {
  const planes = new Uint8Array(bits.length);
  const words = new Uint32Array(planes.buffer);
  const row = bits.length / size / 8;
  for (let plane = 0; plane < size; plane++) {
    transpose(bits.subarray(8 * plane * row, 8 * (plane + 1) * row), words, 2 * plane * row);
  }
  return unshuffle(planes, size);
}

/** Eight rows of bits to bytes; 8 x 8 bits at a time as in Hacker's Delight, section 7-3, the lowest bit being the first. */
function transpose(rows: Uint8Array, words: Uint32Array, at: number): void {
  const row = rows.length / 8;
  for (let i = 0; i < row; i++, at += 2) {
    let low = rows[i]! | rows[i + row]! << 8 | rows[i + 2 * row]! << 16 | rows[i + 3 * row]! << 24;
    let high = rows[i + 4 * row]! | rows[i + 5 * row]! << 8 | rows[i + 6 * row]! << 16 |
      rows[i + 7 * row]! << 24;
    if ((low | high) === 0) continue; // as most high bits are
    let swapped = (low ^ low >>> 7) & 0x00aa00aa;
    low ^= swapped ^ swapped << 7;
    swapped = (high ^ high >>> 7) & 0x00aa00aa;
    high ^= swapped ^ swapped << 7;
    swapped = (low ^ low >>> 14) & 0x0000cccc;
    low ^= swapped ^ swapped << 14;
    swapped = (high ^ high >>> 14) & 0x0000cccc;
    high ^= swapped ^ swapped << 14;
    swapped = (low ^ high << 4) & 0xf0f0f0f0;
    words[at] = low ^ swapped;
    words[at + 1] = high ^ swapped >>> 4;
  }
}
