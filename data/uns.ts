/** Unstructured values, and how their kinds are told apart. */
import { AwkwardArray } from "./awkward.ts";
import type { Column } from "./column.ts";
import { DataFrame } from "./dataframe.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import type { RawArray } from "./storage.ts";

/** An array with other than one axis, in row-major order. */
export interface NdArray {
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** The elements. */
  readonly data: RawArray | readonly string[] | readonly boolean[];
}

/** A dictionary of unstructured values. */
export interface UnsDict {
  /** Values by name. */
  readonly [key: string]: UnsValue;
}

/** What AnnData's `uns` may hold: 64-bit integers come as Int32Array or Float64Array while these hold them. */
export type UnsValue =
  | null
  | string
  | number
  | bigint
  | boolean
  | RawArray
  | readonly string[]
  | readonly boolean[]
  | NdArray
  | Matrix
  | DataFrame
  | Column
  | AwkwardArray
  | UnsDict;

/** Whether a value is a column of any kind. */
export function isColumn(value: object): value is Column {
  return "kind" in value && "values" in value && typeof value.values === "function";
}

/** Whether a value is an array with its shape. */
export function isNdArray(value: object): value is NdArray {
  return "shape" in value && "data" in value && Array.isArray(value.shape);
}

const records = new WeakSet<UnsDict>();

/** Says that a dictionary is one array of records, by its fields; returns it. */
export function asRecords(fields: UnsDict): UnsDict {
  records.add(fields);
  return fields;
}

/** Whether a value is an array of records, by its fields, that was read from a file. */
export function isRecords(value: UnsValue): value is UnsDict {
  return typeof value === "object" && value !== null && records.has(value as UnsDict);
}

/** Whether a value is a dictionary, and not one array of records. */
export function isDict(value: UnsValue): value is UnsDict {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !ArrayBuffer.isView(value) && !isMatrix(value) && !(value instanceof DataFrame) &&
    !(value instanceof AwkwardArray) && !isColumn(value) && !isNdArray(value) && !isRecords(value);
}
