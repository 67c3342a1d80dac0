/** Conversions from stored numbers to the ones that callers get; none may change a value. */
import { FormatError, type FormatErrorOptions } from "./errors.ts";
import type { NumericDtype, RawArray } from "./storage.ts";

/** Values as callers get them: 32 bits where that holds every value of the stored type, else 64. */
export type FloatArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

const WORD = 2 ** 32;
const LITTLE = new Set(["bool", "int8", "uint8", "int16", "uint16", "float16", "float32"]);

/** Whether a 32-bit float holds every value of the type. */
export function fitsFloat32(dtype: string): boolean {
  return LITTLE.has(dtype);
}

/** Numbers of a 64-bit integer array; throws `FormatError` "value" above 2^53, where they would be rounded. */
export function safeIntegers(
  raw: BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>,
  place: FormatErrorOptions,
): Float64Array<ArrayBuffer> {
  const words = new Uint32Array(raw.buffer, raw.byteOffset, raw.length * 2);
  const high = raw instanceof BigInt64Array
    ? new Int32Array(raw.buffer, raw.byteOffset, raw.length * 2)
    : words;
  const numbers = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    const value = high[2 * i + 1]! * WORD + words[2 * i]!;
    if (!Number.isSafeInteger(value)) {
      throw new FormatError(
        "value",
        `Cannot read element ${i} as a number as integers must be within 2^53: got ${raw[i]}`,
        place,
      );
    }
    numbers[i] = value;
  }
  return numbers;
}

/** Values as floats without loss; throws `FormatError` "value" where a 64-bit integer is beyond 2^53. */
export function toFloats(raw: RawArray, place: FormatErrorOptions): FloatArray {
  if (raw instanceof Float32Array || raw instanceof Float64Array) return raw;
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) {
    return safeIntegers(raw, place);
  }
  return raw.BYTES_PER_ELEMENT < 4 ? new Float32Array(raw) : new Float64Array(raw);
}

/** Indices as 32-bit words; negative ones and those above 2^32 become values that no axis has. */
export function toIndices(raw: RawArray): Uint32Array<ArrayBuffer> {
  if (raw instanceof Int32Array || raw instanceof Uint32Array) {
    return new Uint32Array(raw.buffer, raw.byteOffset, raw.length);
  }
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) {
    const words = new Uint32Array(raw.buffer, raw.byteOffset, raw.length * 2);
    const indices = new Uint32Array(raw.length);
    for (let i = 0; i < indices.length; i++) {
      indices[i] = words[2 * i + 1] === 0 ? words[2 * i]! : WORD - 1;
    }
    return indices;
  }
  return new Uint32Array(raw);
}

/** Typed array of the bits of each stored type; those of float16, which has none, as 16-bit words. */
export const BIT_ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Typed array of the values of each stored type: float16 widens. */
export const VALUE_ARRAYS = { ...BIT_ARRAYS, float16: Float32Array } as const;

/** Values in a typed array of the named type, for writing; throws `RangeError` where an integer type does not hold one. */
export function fromFloats(values: FloatArray, dtype: NumericDtype): RawArray {
  if (dtype === "int64") return BigInt64Array.from(Array.from(values, BigInt));
  if (dtype === "uint64") return BigUint64Array.from(Array.from(values, BigInt));
  if (dtype === "float64" && values instanceof Float64Array) return values;
  const written: RawArray = new VALUE_ARRAYS[dtype](values);
  const bad = dtype.startsWith("float") ? -1 : written.findIndex((value, k) => value !== values[k]);
  if (bad !== -1) {
    throw new RangeError(
      `Cannot write element ${bad} as ${dtype} must hold it: got ${values[bad]}`,
    );
  }
  return written;
}

/** Bits of an integer or float type. */
function bitsOf(dtype: NumericDtype): number {
  return Number(/\d+$/.exec(dtype)![0]);
}

/** The type that holds the values of both, as numpy's `result_type`. */
export function promote(a: NumericDtype, b: NumericDtype): NumericDtype {
  const [first, second] = [a, b].sort((x, y) => bitsOf(x) - bitsOf(y)) as [
    NumericDtype,
    NumericDtype,
  ];
  const kind = (dtype: NumericDtype) => dtype.replace(/\d+$/, "");
  if (kind(a) === kind(b)) return second;
  const float = [a, b].find((dtype) => kind(dtype) === "float");
  if (float !== undefined) {
    const whole = float === a ? b : a;
    const bits = Math.max(bitsOf(float), Math.min(64, 2 * bitsOf(whole)));
    return `float${bits}` as NumericDtype;
  }
  // One with a sign and one without: twice the bits of the latter, unless the former has more.
  const unsigned = kind(first) === "uint" ? first : second;
  const signed = unsigned === first ? second : first;
  const bits = Math.max(bitsOf(signed), 2 * bitsOf(unsigned));
  return bits > 64 ? "float64" : `int${bits}` as NumericDtype;
}
