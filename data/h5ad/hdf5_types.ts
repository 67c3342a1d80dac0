/** Element types of HDF5 as h5wasm describes them, and the decoding of their bytes. */
import { BIT_ARRAYS } from "../numbers.ts";
import type { ArrayData, Dtype, NumericDtype, RawArray } from "../storage.ts";

/** The h5wasm package, of either build. */
export type H5Wasm = typeof import("h5wasm");

/** The WebAssembly module inside h5wasm. */
export type H5Module = Awaited<H5Wasm["ready"]>;

/** Description of an element type and, for data sets, of shape and chunks. */
export type H5Type = ReturnType<H5Module["get_dataset_metadata"]>;

/** `H5T_class_t` of hdf5.h. */
export const H5T = {
  integer: 0,
  float: 1,
  string: 3,
  compound: 6,
  enumeration: 8,
  array: 10,
} as const;

/** h5py's booleans: an enumeration of one byte with FALSE = 0 and TRUE = 1. */
function isBoolean(type: H5Type): boolean {
  const members = type.enum_type?.members ?? {};
  return type.size === 1 && Object.keys(members).length === 2 &&
    members["FALSE"] === 0 && members["TRUE"] === 1;
}

/** Name of an integer or float type, or undefined for sizes that no typed array has. */
function numericName(type: H5Type): NumericDtype | undefined {
  const prefix = type.type === H5T.float ? "float" : type.signed ? "int" : "uint";
  const name = `${prefix}${type.size * 8}`;
  return name in BIT_ARRAYS ? name as NumericDtype : undefined;
}

/** The element type in the terms of `storage.ts`. */
export function dtypeOf(type: H5Type): Dtype {
  switch (type.type) {
    case H5T.integer:
    case H5T.float: {
      const name = numericName(type);
      if (name !== undefined) return { kind: "numeric", name };
      return { kind: "unsupported", name: `number of ${type.size} bytes` };
    }
    case H5T.string:
      return { kind: "string" };
    case H5T.enumeration:
      if (isBoolean(type)) return { kind: "bool" };
      return dtypeOf({ ...type, type: type.enum_type?.type ?? -1 }); // the numbers that the names stand for
    case H5T.compound:
      return structDtype(type);
    default:
      return { kind: "unsupported", name: `HDF5 type class ${type.type}` };
  }
}

/** A compound type; one whose members differ in byte order is not supported as the library does not swap it. */
function structDtype(type: H5Type): Dtype {
  const members = type.compound_type?.members ?? [];
  const fields = members.map((member) => {
    const element = member.array_type ?? member;
    return { name: member.name, dtype: dtypeOf(element), shape: member.array_type?.shape ?? [] };
  });
  const orders = members.map((member) => member.array_type ?? member)
    .filter((element) => element.type !== H5T.string && element.size > 1)
    .map((element) => element.littleEndian);
  if (new Set(orders).size > 1) {
    return { kind: "unsupported", name: "compound of mixed byte order" };
  }
  const bad = fields.find((field) => field.dtype.kind === "unsupported");
  if (bad !== undefined) return { kind: "unsupported", name: `compound with field ${bad.name}` };
  return { kind: "struct", fields };
}

/** Whether reading the type allocates strings inside the library that must be freed. */
export function holdsPointers(type: Partial<H5Type>): boolean {
  return type.vlen === true || (type.compound_type?.members ?? []).some(holdsPointers);
}

/** Value of an IEEE half-precision number. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A typed array over little-endian bytes that start at offset 0 of their buffer. */
function numbers(bytes: Uint8Array<ArrayBuffer>, name: NumericDtype): RawArray {
  const Numbers = BIT_ARRAYS[name];
  const array = new Numbers(bytes.buffer, 0, bytes.byteLength / Numbers.BYTES_PER_ELEMENT);
  return name === "float16" ? Float32Array.from(array as Uint16Array, halfToNumber) : array;
}

/** Strings of `type.size` bytes each, padded with NUL or blanks. */
function fixedStrings(bytes: Uint8Array, type: H5Type): string[] {
  const decoder = new TextDecoder();
  const strings: string[] = [];
  for (let start = 0; start < bytes.length; start += type.size) {
    const piece = bytes.subarray(start, start + type.size);
    const end = piece.indexOf(0);
    const text = decoder.decode(end === -1 ? piece : piece.subarray(0, end));
    strings.push(type.strpad === 2 ? text.replace(/ +$/, "") : text);
  }
  return strings;
}

/** Bytes of texts that are decoded together. */
const TEXT_BLOCK = 1 << 20;

/** Texts at addresses, each ended by NUL: decoding many at once takes a quarter of the time that one by one takes. */
function textsAt(addresses: Uint32Array, heap: Uint8Array): string[] {
  const texts: string[] = [];
  const decoder = new TextDecoder();
  let block = new Uint8Array(TEXT_BLOCK);
  let filled = 0;
  const flush = () => {
    const decoded = decoder.decode(block.subarray(0, filled)).split("\0");
    for (let k = 0; k < decoded.length - 1; k++) texts.push(decoded[k]!);
    filled = 0;
  };
  for (const start of addresses) {
    let end = start;
    if (start !== 0) { while (heap[end] !== 0) end++; // address 0 is h5py's text of no bytes
     }
    const length = end - start;
    if (filled + length + 1 > block.length) flush();
    if (length + 1 > block.length) block = new Uint8Array(2 * (length + 1));
    for (let k = 0; k < length; k++) block[filled + k] = heap[start + k]!;
    filled += length;
    block[filled++] = 0;
  }
  flush();
  return texts;
}

/** The fields of packed rows as one array each. */
function structFields(bytes: Uint8Array, type: H5Type, module: H5Module): ArrayData {
  const rows = bytes.length / type.size;
  const fields = new Map<string, ArrayData>();
  for (const member of type.compound_type?.members ?? []) {
    const packed = new Uint8Array(rows * member.size);
    for (let row = 0; row < rows; row++) {
      const start = row * type.size + member.offset;
      packed.set(bytes.subarray(start, start + member.size), row * member.size);
    }
    fields.set(member.name, decode(packed, (member.array_type ?? member) as H5Type, module));
  }
  return { fields };
}

/**
 * Elements of the bytes that a read left.
 *
 * @param bytes Little-endian elements, a copy that may be kept.
 * @param type Their type; strings of variable length are pointers into the heap of `module`.
 * @param module The library that the pointers belong to.
 */
export function decode(
  bytes: Uint8Array<ArrayBuffer>,
  type: H5Type,
  module: H5Module,
): ArrayData {
  const dtype = dtypeOf(type);
  switch (dtype.kind) {
    case "numeric":
      return numbers(bytes, dtype.name);
    case "bool":
      return bytes;
    case "string":
      if (!type.vlen) return fixedStrings(bytes, type);
      return textsAt(new Uint32Array(bytes.buffer), module.HEAPU8);
    case "struct":
      return structFields(bytes, type, module);
    case "unsupported":
      throw new TypeError(`Cannot decode elements of type ${dtype.name}`);
  }
}

/** Joins what consecutive reads of one array gave. */
export function concatenate(parts: readonly ArrayData[]): ArrayData {
  const [first] = parts;
  if (first === undefined) return [];
  if (parts.length === 1) return first;
  if (Array.isArray(first)) return (parts as string[][]).flat();
  if ("fields" in first) {
    const structs = parts as { fields: Map<string, ArrayData> }[];
    const names = [...first.fields.keys()];
    return {
      fields: new Map(
        names.map((name) => [name, concatenate(structs.map((s) => s.fields.get(name)!))]),
      ),
    };
  }
  return concatenateNumbers(parts as RawArray[]);
}

/** Joins typed arrays of one kind by their bytes. */
function concatenateNumbers(parts: readonly RawArray[]): RawArray {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const Numbers = parts[0]!.constructor as new (length: number) => RawArray;
  const joined = new Numbers(length);
  const bytes = new Uint8Array(joined.buffer);
  let offset = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset);
    offset += part.byteLength;
  }
  return joined;
}
