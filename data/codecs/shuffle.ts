/**
 * Shuffle, as HDF5 and Blosc have it: all first bytes of the elements, all second ones, ...: H5Zshuffle.c. Elements here are
 * little-endian words.
 */

/** Puts the bytes of each element together again; bytes that make no whole element were copied. */
export function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  if (size <= 1 || count <= 1) return bytes;
  const out = new Uint8Array(bytes.length);
  const planes = { bytes, count, size };
  if (size === 2) gatherPairs(planes, out);
  else if (size % 4 !== 0) gatherBytes(planes, out);
  else if (count % 4 === 0 && bytes.byteOffset % 4 === 0) gatherFours(planes, out);
  else gatherWords(planes, out);
  const whole = count * size;
  if (whole < bytes.length) out.set(bytes.subarray(whole), whole);
  return out;
}

/** The bytes of `count` elements of `size` bytes, plane by plane. */
interface Planes {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly size: number;
}

function gatherBytes({ bytes, count, size }: Planes, out: Uint8Array): void {
  for (let plane = 0; plane < size; plane++) {
    const base = plane * count;
    for (let i = 0, at = plane; i < count; i++, at += size) out[at] = bytes[base + i]!;
  }
}

function gatherPairs({ bytes, count }: Planes, out: Uint8Array): void {
  const pairs = new Uint16Array(out.buffer, 0, count);
  for (let i = 0; i < count; i++) pairs[i] = bytes[i]! | bytes[count + i]! << 8;
}

/** Four planes at a time. */
function gatherWords({ bytes, count, size }: Planes, out: Uint8Array): void {
  const step = size / 4;
  const words = new Uint32Array(out.buffer, 0, count * step);
  for (let word = 0; word < step; word++) {
    const a = 4 * word * count;
    const [b, c, d] = [a + count, a + 2 * count, a + 3 * count];
    for (let i = 0, at = word; i < count; i++, at += step) {
      words[at] = bytes[a + i]! | bytes[b + i]! << 8 | bytes[c + i]! << 16 | bytes[d + i]! << 24;
    }
  }
}

/** Four planes of four elements at a time, transposed in registers: twice as fast. */
function gatherFours({ bytes, count, size }: Planes, out: Uint8Array): void {
  const step = size / 4;
  const words = new Uint32Array(out.buffer, 0, count * step);
  const fours = new Uint32Array(bytes.buffer, bytes.byteOffset, count * step);
  const row = count / 4;
  for (let word = 0; word < step; word++) {
    const first = 4 * word * row;
    for (let i = first, at = word; i < first + row; i++, at += 4 * step) {
      const [a, b] = [fours[i]!, fours[i + row]!];
      const [c, d] = [fours[i + 2 * row]!, fours[i + 3 * row]!];
      const lowEven = a & 0xff00ff | (b & 0xff00ff) << 8; // a0 b0 a2 b2
      const lowOdd = a >>> 8 & 0xff00ff | b & 0xff00ff00; // a1 b1 a3 b3
      const highEven = c & 0xff00ff | (d & 0xff00ff) << 8;
      const highOdd = c >>> 8 & 0xff00ff | d & 0xff00ff00;
      words[at] = lowEven & 0xffff | highEven << 16;
      words[at + step] = lowOdd & 0xffff | highOdd << 16;
      words[at + 2 * step] = lowEven >>> 16 | highEven & 0xffff0000;
      words[at + 3 * step] = lowOdd >>> 16 | highOdd & 0xffff0000;
    }
  }
}
