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
    if (size === 4 && from % 4 === 0) gather4(data, out, { from, count });
    else if (size === 8 && from % 4 === 0) gather8(data, out, { from, count });
    else {
      for (let plane = 0; plane < size; plane++) {
        const base = from + plane * count;
        for (let i = 0, at = from + plane; i < count; i++, at += size) out[at] = data[base + i]!;
      }
    }
    const whole = from + count * size;
    out.set(data.subarray(whole, to), whole);
  }
  return out;
}

/** Place of a part. */
interface Part {
  readonly from: number;
  readonly count: number;
}

function gather4(data: Uint8Array, out: Uint8Array, { from, count }: Part): void {
  const words = new Uint32Array(out.buffer, out.byteOffset + from, count);
  const [p1, p2, p3] = [from + count, from + 2 * count, from + 3 * count];
  for (let i = 0; i < count; i++) {
    words[i] = data[from + i]! | data[p1 + i]! << 8 | data[p2 + i]! << 16 | data[p3 + i]! << 24;
  }
}

function gather8(data: Uint8Array, out: Uint8Array, { from, count }: Part): void {
  const words = new Uint32Array(out.buffer, out.byteOffset + from, 2 * count);
  const plane = (k: number) => from + k * count;
  const [p1, p2, p3] = [plane(1), plane(2), plane(3)];
  for (let i = 0; i < count; i++) {
    words[2 * i] = data[from + i]! | data[p1 + i]! << 8 | data[p2 + i]! << 16 | data[p3 + i]! << 24;
  }
  // Most integers are small, and zeros need no writing.
  if (data.subarray(plane(4), plane(8)).every((byte) => byte === 0)) return;
  const [p4, p5, p6, p7] = [plane(4), plane(5), plane(6), plane(7)];
  for (let i = 0; i < count; i++) {
    words[2 * i + 1] = data[p4 + i]! | data[p5 + i]! << 8 | data[p6 + i]! << 16 |
      data[p7 + i]! << 24;
  }
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
