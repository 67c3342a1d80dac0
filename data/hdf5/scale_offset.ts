/** HDF5's scaleoffset: numbers above the least one, in as few bits as they need: H5Zscaleoffset.c. */
import { checkLength, type Codec } from "../codecs/codec.ts";
import { BitReader } from "./bit_reader.ts";

/** Bytes before the packed numbers: count of bits, length of the least number, the number in 16 bytes. */
const HEADER = 21;

/** A number of 64 bits as two of 32, without a sign. */
interface Long {
  readonly low: number;
  readonly high: number;
}

/** What the filter's parameters say. */
interface Parameters {
  /** Power of ten by which floating-point numbers were multiplied; undefined for integers. */
  readonly decimals: number | undefined;
  readonly count: number;
  /** Bytes of an element. */
  readonly size: number;
  readonly bigEndian: boolean;
  /** Stands for the highest number of its bits. */
  readonly fill: Long | undefined;
}

/** Reads the parameters; undefined where chunks are as they were. */
function parse(values: readonly number[]): Parameters | undefined {
  const [scale, factor, count, kind, size, , order, filled, low = 0, high = 0] = values;
  if (values.length < 9 || !(kind === 1 ? [4, 8] : [1, 2, 4, 8]).includes(size!)) {
    throw new RangeError("its parameters are not known");
  }
  if (kind === 1 && scale !== 0) throw new RangeError("its scale is not decimal");
  if (kind === 0 && factor === size! * 8) return undefined;
  return {
    decimals: kind === 1 ? factor! | 0 : undefined,
    count: count!,
    size: size!,
    bigEndian: order === 1,
    fill: filled === 1 ? { low, high: size === 8 ? high : 0 } : undefined,
  };
}

/** Makes numbers of what was read. */
type Restore = (read: Long) => Long;

/** Adds the least integer. */
function restoreInteger(least: Long): Restore {
  return ({ low, high }) => {
    const sum = low + least.low;
    return { low: sum >>> 0, high: high + least.high + (sum > 0xffffffff ? 1 : 0) >>> 0 };
  };
}

/** Scales, and adds the least floating-point number, with the roundings of the library. */
function restoreFloat(least: Long, size: number, decimals: number): Restore {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, least.low, true);
  view.setUint32(4, least.high, true);
  const base = size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  const power = Number(`1e${decimals}`);
  return ({ low, high }) => {
    if (size === 8) view.setFloat64(0, (high * 2 ** 32 + low) / power + base, true);
    else {
      const scaled = Math.fround(Math.fround(low) / Math.fround(power));
      view.setFloat32(0, scaled + base, true);
    }
    return { low: view.getUint32(0, true), high: view.getUint32(4, true) };
  };
}

/** Puts an element of 1, 2, 4 or 8 bytes. */
function put(view: DataView, at: number, { low, high }: Long, size: number): void {
  if (size === 1) view.setUint8(at, low);
  else if (size === 2) view.setUint16(at, low, true);
  else view.setUint32(at, low, true);
  if (size === 8) view.setUint32(at + 4, high, true);
}

/** Unpacks the numbers of a chunk, little-endian. */
function unpackNumbers(
  chunk: Uint8Array,
  bits: number,
  { decimals, count, size, fill }: Parameters,
): Uint8Array {
  const header = new DataView(chunk.buffer, chunk.byteOffset, HEADER);
  const least = { low: header.getUint32(5, true), high: header.getUint32(9, true) };
  const restore = decimals === undefined
    ? restoreInteger(least)
    : restoreFloat(least, size, decimals);
  // What stands for the fill value: all ones.
  const ones = {
    low: bits >= 32 ? 0xffffffff : 2 ** bits - 1,
    high: bits > 32 ? 2 ** (bits - 32) - 1 : 0,
  };
  const out = new DataView(new ArrayBuffer(count * size));
  const reader = new BitReader(chunk, HEADER);
  for (let k = 0; k < count; k++) {
    const high = bits > 32 ? reader.take(bits - 32) : 0;
    const read = { low: reader.take(Math.min(bits, 32)), high };
    const filled = fill !== undefined && read.low === ones.low && high === ones.high;
    put(out, k * size, filled ? fill : restore(read), size);
  }
  return new Uint8Array(out.buffer);
}

/** Swaps the bytes of each element. */
function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}

/**
 * The codec of a filter.
 *
 * @param values Kind of scaling, its factor, elements of a chunk, their class, size, sign, byte order, whether there is a fill value, it.
 */
export function loadScaleOffset(values: readonly number[]): Codec {
  return (chunk, expected) => {
    const parameters = parse(values);
    if (parameters === undefined) return chunk;
    const { count, size, bigEndian } = parameters;
    checkLength(count * size, expected);
    if (chunk.length < HEADER) throw new RangeError("its header is cut off");
    const bits = new DataView(chunk.buffer, chunk.byteOffset, 4).getUint32(0, true);
    if (bits > size * 8) throw new RangeError(`${bits} bits are no number of ${size} bytes`);
    if (chunk.length < HEADER + Math.floor(count * bits / 8)) {
      throw new RangeError("it ends too early");
    }
    const bytes = bits === size * 8
      ? chunk.slice(HEADER, HEADER + count * size)
      : unpackNumbers(chunk, bits, parameters);
    return bigEndian ? swapBytes(bytes, size) : bytes;
  };
}
