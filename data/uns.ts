import type { AwkwardArray } from "./awkward.ts";
import type { Column } from "./column.ts";
import type { DataFrame } from "./dataframe.ts";
import type { Matrix } from "./matrix.ts";
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
