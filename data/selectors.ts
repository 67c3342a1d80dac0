/** Ways to name rows of an axis. */
import { describeNames } from "./checks.ts";
import { BooleanColumn } from "./column.ts";
import { keptRows } from "./frame/take.ts";

/** Consecutive rows. */
export interface Slice {
  /** First row; 0 unless told. */
  readonly start?: number;
  /** One past the last row; all unless told. */
  readonly end?: number;
}

/** Rows of an axis: by number, by name, by a truth value for each row, or from one to another. */
export type Selector =
  | ArrayLike<number>
  | readonly string[]
  | readonly boolean[]
  | BooleanColumn
  | Slice;

/** An axis that rows are selected of. */
interface Axis {
  /** What is selected, for messages: "cells". */
  readonly what: string;
  /** Number of rows. */
  readonly length: number;
  /** Names of the rows. */
  readonly index: readonly string[];
}

/** Refuses a list of truth values that is not as long as the axis. */
function checkMask(length: number, axis: Axis): void {
  if (length === axis.length) return;
  throw new RangeError(
    `Cannot select ${axis.what} as a mask must have ${axis.length} elements: got ${length}`,
  );
}

/** Rows of these names. */
function namedRows(names: readonly string[], axis: Axis): Uint32Array {
  const wanted = new Set(names);
  const rows = new Map<string, number>();
  axis.index.forEach((name, row) => {
    if (!wanted.has(name)) return;
    if (rows.has(name)) {
      throw new RangeError(
        `Cannot select ${axis.what} by name as a name must not repeat: got ${
          JSON.stringify(name)
        } twice`,
      );
    }
    rows.set(name, row);
  });
  const missing = names.filter((name) => !rows.has(name));
  if (missing.length > 0) {
    throw new RangeError(
      `Cannot select ${axis.what} as ${missing.length} of ${names.length} names are not there, first ${
        JSON.stringify(missing[0])
      }: ${describeNames(missing[0]!, axis.index)}`,
    );
  }
  return Uint32Array.from(names, (name) => rows.get(name)!);
}

/** Rows from one to another. */
function slicedRows(slice: Slice, axis: Axis): Uint32Array {
  const { start = 0, end = axis.length } = slice;
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (!whole || start < 0 || end < start || end > axis.length) {
    throw new RangeError(
      `Cannot select ${axis.what} as 0 <= start <= end <= ${axis.length} must hold: got ${start} .. ${end}`,
    );
  }
  return Uint32Array.from({ length: end - start }, (_, k) => start + k);
}

/** Numbers of the selected rows, which may not exist yet where numbers were given. */
export function selectedRows(selector: Selector, axis: Axis): ArrayLike<number> {
  if (selector instanceof BooleanColumn) {
    checkMask(selector.length, axis);
    return keptRows(selector.data.map((keep, row) => selector.mask?.[row] ? 0 : keep));
  }
  if (!("length" in selector)) return slicedRows(selector, axis);
  const first = selector[0];
  if (typeof first === "string") return namedRows(selector as readonly string[], axis);
  if (typeof first !== "boolean") return selector as ArrayLike<number>;
  checkMask(selector.length, axis);
  return keptRows(Uint8Array.from(selector as readonly boolean[], Number));
}
