/**
 * Frames as danfo.js data frames, for code that uses it: the caller brings the library, as it is large.
 *
 * @module
 */
import { BooleanColumn, type Column, NumericColumn, StringColumn } from "../column.ts";
import { DataFrame } from "../dataframe.ts";
import { readColumns } from "./frame_parts.ts";

/** What is used of the module danfojs. */
export interface DanfoModule<D> {
  /** Its class of data frames. */
  readonly DataFrame: new (
    data: Record<string, unknown[]>,
    options: { index: string[]; columns: string[]; dtypes: string[] },
  ) => D;
}

/** What is used of a danfo data frame. */
export interface DanfoFrame {
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Names of the rows. */
  readonly index: readonly (string | number)[];
  /** Type of each column: "int32", "float32", "string" or "boolean". */
  readonly dtypes: readonly string[];
  /** Rows of values. */
  readonly values: unknown;
}

/** danfo's name of the type of a column. */
function danfoType(column: Column): string {
  if (column.kind === "numeric") return /int/.test(column.dtype) ? "int32" : "float32";
  return column.kind === "boolean" ? "boolean" : "string";
}

/** Values as danfo has them: NaN where a number is missing, null where a text or a truth value is. */
function danfoValues(column: Column): unknown[] {
  const values = [...column.values()];
  return column.kind === "numeric" ? values.map((value) => value ?? NaN) : values;
}

/**
 * A frame as danfo's. What danfo does not have is lost: categories and their order, the difference between NaN and no
 * value, and exact element types.
 *
 * @param frame The frame; all columns are read.
 * @param danfo The module danfojs, as the caller imports it.
 */
export async function toDanfo<D>(frame: DataFrame, danfo: DanfoModule<D>): Promise<D> {
  const columns = await readColumns(frame);
  const data = Object.fromEntries(columns.map(([name, column]) => [name, danfoValues(column)]));
  return new danfo.DataFrame(data, {
    index: [...frame.index],
    columns: columns.map(([name]) => name),
    dtypes: columns.map(([, column]) => danfoType(column)),
  });
}

/** A column of danfo's values; null, undefined and NaN among whole numbers are missing. */
function columnOf(values: readonly unknown[], dtype: string): Column {
  const whole = dtype === "int32";
  const isMissing = (value: unknown) =>
    value === null || value === undefined || (dtype !== "float32" && Number.isNaN(value));
  const mask = Uint8Array.from(values, (value) => isMissing(value) ? 1 : 0);
  const options = mask.includes(1) ? { mask } : {};
  if (dtype === "boolean") {
    return new BooleanColumn(Uint8Array.from(values, (value) => value ? 1 : 0), options);
  }
  if (dtype === "int32" || dtype === "float32") {
    const data = Float64Array.from(values, (value, row) => mask[row] ? 0 : Number(value));
    return new NumericColumn(data, { dtype: whole ? "int32" : "float64", ...options });
  }
  return new StringColumn(values.map((value, row) => mask[row] ? "" : String(value)), options);
}

/** A frame of danfo's, whose numbers become int32 and float64. */
export function fromDanfo(danfo: DanfoFrame): DataFrame {
  const rows = danfo.values as readonly unknown[];
  const columns = danfo.columns.map((name, k) => {
    const values = rows.map((row) => Array.isArray(row) ? row[k] : row);
    return [name, columnOf(values, danfo.dtypes[k]!)] as const;
  });
  return new DataFrame({
    index: danfo.index.map(String),
    columns: Object.fromEntries(columns),
  });
}
