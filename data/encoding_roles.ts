import type { AwkwardArray } from "./awkward.ts";
import type { Column } from "./column.ts";
import type { DataFrame } from "./dataframe.ts";
import type { Matrix } from "./matrix.ts";
import type { StorageNode } from "./storage.ts";
import type { UnsValue } from "./uns.ts";

/** What a stored node can be read as. */
export interface Roles {
  /** Values of rows x columns. */
  matrix: Matrix;
  /** A column of a table. */
  column: Column;
  /** A table. */
  frame: DataFrame;
  /** Lists of any length. */
  awkward: AwkwardArray;
  /** Anything, as `uns` holds it. */
  value: UnsValue;
}

/** Reads a node of one encoding; `read` reads the nodes inside it. */
export type Reader<T> = (node: StorageNode, read: Read) => Promise<T>;

/** Reads a node of any encoding. */
export type Read = <R extends keyof Roles>(role: R, node: StorageNode) => Promise<Roles[R]>;
