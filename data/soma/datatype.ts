/** Element types of TileDB. */
import type { FormatError } from "../errors.ts";
import type { RawArray } from "../storage.ts";
import { corrupt, type Place } from "./bytes.ts";

/** How the bits of an element are read. */
export type ElementKind = "int" | "uint" | "float" | "bool" | "text" | "bytes" | "time";

/** An element type. */
export interface Datatype {
  /** Its number in files. */
  readonly code: number;
  /** Its name: numpy's for numbers, TileDB's in lower case for the rest. */
  readonly name: string;
  /** Bytes of an element. */
  readonly size: number;
  /** How its bits are read. */
  readonly kind: ElementKind;
}

const TIME_UNITS = [
  "year",
  "month",
  "week",
  "day",
  "hr",
  "min",
  "sec",
  "ms",
  "us",
  "ns",
  "ps",
  "fs",
  "as",
];

const LISTED: readonly (readonly [number, string, number, ElementKind])[] = [
  [0, "int32", 4, "int"],
  [1, "int64", 8, "int"],
  [2, "float32", 4, "float"],
  [3, "float64", 8, "float"],
  [4, "char", 1, "bytes"],
  [5, "int8", 1, "int"],
  [6, "uint8", 1, "uint"],
  [7, "int16", 2, "int"],
  [8, "uint16", 2, "uint"],
  [9, "uint32", 4, "uint"],
  [10, "uint64", 8, "uint"],
  [11, "string_ascii", 1, "text"],
  [12, "string_utf8", 1, "text"],
  [13, "string_utf16", 2, "bytes"],
  [14, "string_utf32", 4, "bytes"],
  [15, "string_ucs2", 2, "bytes"],
  [16, "string_ucs4", 4, "bytes"],
  [17, "any", 1, "bytes"],
  [40, "blob", 1, "bytes"],
  [41, "bool", 1, "bool"],
  [42, "geom_wkb", 1, "bytes"],
  [43, "geom_wkt", 1, "bytes"],
];

const TYPES: ReadonlyMap<number, Datatype> = new Map([
  ...LISTED,
  ...TIME_UNITS.map((unit, i) => [18 + i, `datetime_${unit}`, 8, "time"] as const),
  ...TIME_UNITS.slice(4).map((unit, i) => [31 + i, `time_${unit}`, 8, "time"] as const),
].map(([code, name, size, kind]) => [code, { code, name, size, kind }]));

/** The element type that stands for "as the field has it" in options of filters. */
export const ANY_CODE = 17;

/** The element type of a number; throws `FormatError` where there is none. */
export function datatypeOf(code: number, place: Place): Datatype {
  const type = TYPES.get(code);
  if (type === undefined) throw unknownType(code, place);
  return type;
}

/** Unsigned 64-bit integers, of offsets and times. */
export const UINT64: Datatype = TYPES.get(10)!;

/** Unsigned bytes, of validity. */
export const UINT8: Datatype = TYPES.get(6)!;

function unknownType(code: number, place: Place): FormatError {
  return corrupt(`Cannot read an element type as its number is not known: got ${code}`, place);
}

/** Whether the bits of a type are those of a signed integer. */
export function isSigned(type: Datatype): boolean {
  return type.kind === "int" || type.kind === "time";
}

/** Whether values of the type are numbers of their own typed array. */
export function isNumeric(type: Datatype): boolean {
  return type.kind !== "text" && type.kind !== "bytes";
}

const ARRAYS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** The class of typed array for a type. */
export function arrayClass(type: Datatype): (typeof ARRAYS)[keyof typeof ARRAYS] {
  if (type.kind === "time") return BigInt64Array;
  return ARRAYS[type.name as keyof typeof ARRAYS] ?? Uint8Array;
}

/** The bytes as elements of the type; they are copied where they do not lie on a multiple of its size. */
export function elementsOf(bytes: Uint8Array<ArrayBuffer>, type: Datatype): RawArray {
  const aligned = bytes.byteOffset % type.size === 0 ? bytes : bytes.slice();
  const length = Math.floor(bytes.length / type.size);
  return new (arrayClass(type))(aligned.buffer, aligned.byteOffset, length);
}
