/** Columns of plain values. */
import { BooleanColumn, type Column, isColumn, NumericColumn, StringColumn } from "../column.ts";
import type { NumericDtype } from "../storage.ts";
import type { ColumnType } from "./schema.ts";

/** Plain values that {@linkcode DataFrame.with} makes a column of. */
export type ColumnValues =
  | readonly string[]
  | readonly boolean[]
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

/** Type of the column that values make. */
export type TypeOfValues<V> = V extends NumericColumn<infer D>
  ? NumericDtype extends D ? "numeric" : D
  : V extends { readonly kind: infer K extends ColumnType } ? K
  : V extends Float32Array ? "float32"
  : V extends Float64Array ? "float64"
  : V extends Int32Array ? "int32"
  : V extends readonly boolean[] ? "boolean"
  : V extends readonly string[] ? "string"
  : ColumnType;

/** A column of plain values. */
export function toColumn(values: Column | ColumnValues): Column {
  if (isColumn(values)) return values;
  if (values instanceof Int32Array) {
    return new NumericColumn(Float64Array.from(values), { dtype: "int32" });
  }
  if (values instanceof Float32Array || values instanceof Float64Array) {
    return new NumericColumn(values);
  }
  if (values.every((value) => typeof value === "boolean")) {
    return new BooleanColumn(values as boolean[]);
  }
  return new StringColumn(values as string[]);
}
