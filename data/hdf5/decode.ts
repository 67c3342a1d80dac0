/** Elements of stored bytes, in the terms of `storage.ts`. */
import { BIT_ARRAYS } from "../numbers.ts";
import type { ArrayData, NumericDtype, RawArray } from "../storage.ts";
import type { Datatype } from "./datatype.ts";
import { readTexts, referenceBytes } from "./global_heap.ts";
import { Damage } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Value of an IEEE half-precision number. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Turns the bytes of each element around. */
function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** A typed array over bytes that are its own. */
function numbers(bytes: Uint8Array<ArrayBuffer>, name: NumericDtype, big: boolean): RawArray {
  const Numbers = BIT_ARRAYS[name];
  const { BYTES_PER_ELEMENT: size } = Numbers;
  const own = bytes.byteOffset % size === 0 && !big ? bytes : bytes.slice();
  if (big) swap(own, size);
  const array = new Numbers(own.buffer, own.byteOffset, own.byteLength / size);
  return name === "float16" ? Float32Array.from(array as Uint16Array, halfToNumber) : array;
}

/** Texts of `size` bytes each, padded with NUL or blanks. */
function fixedTexts(bytes: Uint8Array, size: number, blanks: boolean): string[] {
  const decoder = new TextDecoder();
  const texts: string[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    const end = piece.indexOf(0);
    const text = decoder.decode(end === -1 ? piece : piece.subarray(0, end));
    texts.push(blanks ? text.replace(/ +$/, "") : text);
  }
  return texts;
}

/** The members of elements as one array each. */
async function structFields(
  file: Hdf5Bytes,
  bytes: Uint8Array,
  type: Extract<Datatype, { kind: "struct" }>,
): Promise<ArrayData> {
  const count = bytes.length / type.size;
  const fields = new Map<string, ArrayData>();
  for (const { name, offset, type: member } of type.members) {
    const packed = new Uint8Array(count * member.size);
    for (let k = 0; k < count; k++) {
      const start = k * type.size + offset;
      packed.set(bytes.subarray(start, start + member.size), k * member.size);
    }
    const element = member.kind === "array" ? member.base : member;
    fields.set(name, await decode(file, packed, element));
  }
  return { fields };
}

/**
 * Elements out of their bytes.
 *
 * @param file The file, which holds texts of any length elsewhere.
 * @param bytes Whole elements, which the result may keep.
 * @param type Their type.
 */
export async function decode(
  file: Hdf5Bytes,
  bytes: Uint8Array,
  type: Datatype,
): Promise<ArrayData> {
  switch (type.kind) {
    case "number":
      return numbers(bytes as Uint8Array<ArrayBuffer>, type.name, type.big);
    case "bool":
      return bytes as Uint8Array<ArrayBuffer>;
    case "fixed-string":
      return fixedTexts(bytes, type.size, type.blanks);
    case "string":
      if (type.size !== referenceBytes(file)) {
        throw new Damage("a text's reference has a wrong length");
      }
      return await readTexts(file, bytes);
    case "struct":
      return await structFields(file, bytes, type);
    default:
      throw new TypeError(`Cannot decode elements of type ${type.kind}`);
  }
}
