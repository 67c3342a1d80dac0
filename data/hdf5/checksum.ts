/** The checksum of HDF5's metadata: Bob Jenkins' lookup3, `hashlittle`, with the initial value 0. */
import { Damage } from "./fields.ts";

const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by));

/** Mixes three words. */
function mix(words: Int32Array): void {
  let [a, b, c] = words as unknown as [number, number, number];
  a = (a - c) | 0, a ^= rotate(c, 4), c = (c + b) | 0;
  b = (b - a) | 0, b ^= rotate(a, 6), a = (a + c) | 0;
  c = (c - b) | 0, c ^= rotate(b, 8), b = (b + a) | 0;
  a = (a - c) | 0, a ^= rotate(c, 16), c = (c + b) | 0;
  b = (b - a) | 0, b ^= rotate(a, 19), a = (a + c) | 0;
  c = (c - b) | 0, c ^= rotate(b, 4), b = (b + a) | 0;
  words[0] = a, words[1] = b, words[2] = c;
}

/** Mixes the last three words. */
function finish(words: Int32Array): number {
  let [a, b, c] = words as unknown as [number, number, number];
  c ^= b, c = (c - rotate(b, 14)) | 0;
  a ^= c, a = (a - rotate(c, 11)) | 0;
  b ^= a, b = (b - rotate(a, 25)) | 0;
  c ^= b, c = (c - rotate(b, 16)) | 0;
  a ^= c, a = (a - rotate(c, 4)) | 0;
  b ^= a, b = (b - rotate(a, 14)) | 0;
  c ^= b, c = (c - rotate(b, 24)) | 0;
  return c >>> 0;
}

/** The checksum of bytes. */
export function lookup3(bytes: Uint8Array): number {
  const words = new Int32Array(3).fill((0xdeadbeef + bytes.length) | 0);
  const add = (at: number, count: number) => {
    for (let k = 0; k < count; k++) {
      const word = k >> 2;
      words[word] = (words[word]! + (bytes[at + k]! << (8 * (k & 3)))) | 0;
    }
  };
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    add(at, 12);
    mix(words);
  }
  if (at === bytes.length) return words[2]! >>> 0;
  add(at, bytes.length - at);
  return finish(words);
}

/** Refuses a block whose last four bytes are not the checksum of what is before them. */
export function checkSum(block: Uint8Array, what: string): void {
  if (block.length < 4) throw new Damage(`${what} is too short for its checksum`);
  const end = block.length - 4;
  const stored = new DataView(block.buffer, block.byteOffset + end, 4).getUint32(0, true);
  if (stored !== lookup3(block.subarray(0, end))) {
    throw new Damage(`the checksum of ${what} is wrong`);
  }
}
