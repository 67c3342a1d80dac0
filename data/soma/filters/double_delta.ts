/** Differences of differences of integers, in as many bits as the largest needs. */
import { ByteReader, corrupt, type Place } from "../bytes.ts";
import { type Datatype, isSigned } from "../datatype.ts";

/** Bits of 64-bit words, most significant bit first. */
class BitReader {
  readonly #words: DataView;
  readonly #place: Place;
  #at = 0;
  #word = 0;
  #left = 0;

  constructor(bytes: Uint8Array, place: Place) {
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength - bytes.length % 8);
    this.#place = place;
  }

  /** The next `count` bits as an unsigned integer; `count` is at most 32. */
  read(count: number): number {
    if (this.#left >= count) {
      if (count === 0) return 0;
      this.#left -= count;
      return this.#word << 32 - this.#left - count >>> 32 - count;
    }
    const more = count - this.#left;
    const high = this.#left === 0 ? 0 : this.#word << 32 - this.#left >>> 32 - this.#left;
    this.#next();
    this.#left = 32 - more;
    return high * 2 ** more + (this.#word >>> 32 - more);
  }

  /** Takes the upper half of a word before its lower half. */
  #next(): void {
    if (this.#at + 4 > this.#words.byteLength) {
      throw corrupt("Cannot unpack double delta data as they end too soon", this.#place);
    }
    this.#word = this.#words.getUint32(this.#at ^ 4, true);
    this.#at += 4;
  }
}

/** Undoes the double delta compressor; `length` bytes must come out. */
export function doubleDelta(
  part: Uint8Array,
  length: number,
  options: { readonly type: Datatype; readonly place: Place },
): Uint8Array {
  const { type, place } = options;
  if (type.kind === "float") {
    throw corrupt(
      `Cannot unpack double delta data as elements must be integers: got ${type.name}`,
      place,
    );
  }
  const reader = new ByteReader(part, place, { what: "double delta data" });
  const bits = reader.u8();
  const count = reader.u64();
  if (count * type.size !== length) {
    throw reader.error(`${length / type.size} elements must come out: got ${count}`);
  }
  if (bits >= type.size * 8 - 1) return new Uint8Array(reader.bytes(length));
  const out = new Uint8Array(length);
  const first = Math.min(count, 2) * type.size;
  out.set(reader.bytes(first));
  if (count <= 2) return out;
  const deltas = new BitReader(reader.bytes(reader.left), place);
  if (type.size === 8) addTwice64(out, deltas, bits);
  else addTwice(out, deltas, { bits, type });
  return out;
}

/** Elements of up to 4 bytes: typed arrays wrap around as the writer's integers did. */
function addTwice(
  out: Uint8Array<ArrayBuffer>,
  deltas: BitReader,
  { bits, type }: { readonly bits: number; readonly type: Datatype },
): void {
  const Elements = isSigned(type)
    ? { 1: Int8Array, 2: Int16Array, 4: Int32Array }[type.size as 1 | 2 | 4]
    : { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[type.size as 1 | 2 | 4];
  const values = new Elements(out.buffer);
  for (let i = 2; i < values.length; i++) {
    const negative = deltas.read(1) === 1;
    const size = deltas.read(bits);
    values[i] = (negative ? -size : size) + 2 * values[i - 1]! - values[i - 2]!;
  }
}

/** Elements of 8 bytes as pairs of words: value = before + (before - one before) + difference, modulo 2^64. */
function addTwice64(out: Uint8Array<ArrayBuffer>, deltas: BitReader, bits: number): void {
  const words = new Uint32Array(out.buffer);
  let [low, high] = [words[2]!, words[3]!];
  // The step from one value to the next.
  let stepLow = low - words[0]!;
  let stepHigh = high - words[1]! - (stepLow < 0 ? 1 : 0) | 0;
  stepLow >>>= 0;
  for (let i = 4; i < words.length; i += 2) {
    const negative = deltas.read(1) === 1;
    const moreHigh = bits > 32 ? deltas.read(bits - 32) : 0;
    const moreLow = deltas.read(Math.min(bits, 32));
    if (negative) {
      const difference = stepLow - moreLow;
      stepHigh = stepHigh - moreHigh - (difference < 0 ? 1 : 0) | 0;
      stepLow = difference >>> 0;
    } else {
      const sum = stepLow + moreLow;
      stepHigh = stepHigh + moreHigh + (sum > 0xffffffff ? 1 : 0) | 0;
      stepLow = sum >>> 0;
    }
    const sum = low + stepLow;
    high = high + stepHigh + (sum > 0xffffffff ? 1 : 0) | 0;
    low = sum >>> 0;
    words[i] = low;
    words[i + 1] = high;
  }
}
