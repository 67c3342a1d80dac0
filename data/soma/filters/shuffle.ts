/** Bytes or bits of elements that were written plane by plane. */
import type { ByteReader } from "../bytes.ts";

/** Parts that a shuffling filter worked on: their places in the data. */
function* partsOf(data: Uint8Array, notes: ByteReader): Generator<readonly [number, number]> {
  const count = notes.count(notes.u32(), 4);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = notes.u32();
    if (at + length > data.length) throw notes.error(`parts have more than ${data.length} bytes`);
    yield [at, at + length];
    at += length;
  }
}

/** Puts the bytes of each element together again; bytes that make no whole element were copied. */
export function byteshuffle(data: Uint8Array, notes: ByteReader, size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (const [from, to] of partsOf(data, notes)) {
    const count = Math.floor((to - from) / size);
    const part = { planes: data.subarray(from, from + count * size), count, size };
    if (size % 2 === 0 && from % 2 === 0) gatherPairs(part, out, from);
    else gatherBytes(part, out.subarray(from));
    const whole = from + count * size;
    out.set(data.subarray(whole, to), whole);
  }
  return out;
}

/** The whole elements of a part: all first bytes, all second ones, ... */
interface Planes {
  readonly planes: Uint8Array;
  readonly count: number;
  readonly size: number;
}

function gatherBytes({ planes, count, size }: Planes, out: Uint8Array): void {
  for (let plane = 0; plane < size; plane++) {
    const base = plane * count;
    for (let i = 0, at = plane; i < count; i++, at += size) out[at] = planes[base + i]!;
  }
}

/** Two planes at a time. Most numbers are small, so that most planes hold zeros alone, as `out` does. */
function gatherPairs({ planes, count, size }: Planes, out: Uint8Array, from: number): void {
  const pairs = new Uint16Array(out.buffer, out.byteOffset + from, count * size / 2);
  const step = size / 2;
  for (let pair = 0; pair < step; pair++) {
    const low = planes.subarray(2 * pair * count, (2 * pair + 1) * count);
    const high = planes.subarray((2 * pair + 1) * count, (2 * pair + 2) * count);
    if (isZero(low) && isZero(high)) continue;
    for (let i = 0, at = pair; i < count; i++, at += step) pairs[at] = low[i]! | high[i]! << 8;
  }
}

function isZero(bytes: Uint8Array): boolean {
  const head = Math.min(bytes.length, -bytes.byteOffset & 3);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + head, bytes.length - head >> 2);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = 0; i < head; i++) if (bytes[i] !== 0) return false;
  for (let i = head + 4 * words.length; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

const BLOCK = 8192;

/** Puts the bits of each element together again, in blocks of 8192 bytes; parts that are not made of eights were copied. */
export function bitshuffle(data: Uint8Array, notes: ByteReader, size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (const [from, to] of partsOf(data, notes)) {
    if ((to - from) % size !== 0 || (to - from) % 8 !== 0) {
      out.set(data.subarray(from, to), from);
      continue;
    }
    for (let at = from; at < to; at += BLOCK) {
      const end = Math.min(at + BLOCK, to);
      gatherBits(data.subarray(at, end), out.subarray(at, end), size);
    }
  }
  return out;
}

/** One block: bit b of byte k of element e lies in row 8 k + b, bit e. */
function gatherBits(data: Uint8Array, out: Uint8Array, size: number): void {
  const elements = Math.floor(data.length / size);
  const whole = elements - elements % 8;
  const row = whole / 8;
  for (let e = 0; e < whole; e++) {
    for (let k = 0; k < size; k++) {
      let byte = 0;
      for (let b = 0; b < 8; b++) {
        byte |= (data[(k * 8 + b) * row + (e >> 3)]! >> (e & 7) & 1) << b;
      }
      out[e * size + k] = byte;
    }
  }
  out.set(data.subarray(whole * size), whole * size);
}
