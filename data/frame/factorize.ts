/** Columns as codes of their distinct values, which sorting, grouping and counting work on. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import { missingRows } from "./missing.ts";
import { textComparer } from "./text_order.ts";

/** A column as codes. */
export interface Factor {
  /** Place of each row's value in `levels`; -1 where it has none. */
  readonly codes: Int32Array;
  /** The distinct values in ascending order; categories in their own order, those that no row has included. */
  readonly levels: Column;
}

/** Codes by first appearance, and the values in that order. */
function seen<T>(
  values: ArrayLike<T>,
  missing: Uint8Array | undefined,
): { codes: Int32Array; values: T[] } {
  const codes = new Int32Array(values.length);
  const known = new Map<T, number>();
  for (let row = 0; row < values.length; row++) {
    if (missing?.[row]) {
      codes[row] = -1;
      continue;
    }
    const value = values[row]!;
    let code = known.get(value);
    if (code === undefined) known.set(value, code = known.size);
    codes[row] = code;
  }
  return { codes, values: [...known.keys()] };
}

/** Codes renamed so that the values are in ascending order; the sorted values. */
function sorted<T>(
  found: { codes: Int32Array; values: T[] },
  compare: (a: T, b: T) => number,
): { codes: Int32Array; values: T[] } {
  const { codes, values } = found;
  const order = [...values.keys()].sort((a, b) => compare(values[a]!, values[b]!));
  const rank = new Int32Array(order.length);
  order.forEach((code, place) => rank[code] = place);
  for (let row = 0; row < codes.length; row++) {
    if (codes[row]! >= 0) codes[row] = rank[codes[row]!]!;
  }
  return { codes, values: order.map((code) => values[code]!) };
}

/** The codes and distinct values of a column. */
export function factorize(column: Column): Factor {
  if (column.kind === "categorical") {
    const { labels, ordered } = column;
    const all = Int32Array.from({ length: labels.length }, (_, code) => code);
    return { codes: column.codes, levels: new CategoricalColumn(all, labels, { ordered }) };
  }
  const missing = missingRows(column);
  if (column.kind === "boolean") {
    const codes = Int32Array.from(column.data);
    missing?.forEach((gone, row) => gone && (codes[row] = -1));
    return { codes, levels: new BooleanColumn([false, true]) };
  }
  if (column.kind === "string") {
    const found = seen(column.data, missing);
    const { codes, values } = sorted(found, textComparer(found.values));
    return { codes, levels: new StringColumn(values) };
  }
  const { codes, values } = sorted(seen(column.data, missing), (a, b) => a - b);
  const data = column.data instanceof Float32Array ? Float32Array : Float64Array;
  return { codes, levels: new NumericColumn(data.from(values), { dtype: column.dtype }) };
}

/** Number of rows of each level. */
export function countCodes(codes: Int32Array, levels: number): Float64Array<ArrayBuffer> {
  const counts = new Float64Array(levels);
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) counts[codes[row]!]!++;
  return counts;
}

/** A value as the text that names it in an index. */
export function labelText(value: string | number | boolean | null): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null ? "NaN" : String(value);
}

/** Values of a column as texts. */
export function labelTexts(column: Column): string[] {
  return Array.from(column.values(), labelText);
}
