/** SOMA tables as data frames. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import { DataFrame } from "../dataframe.ts";
import { FormatError } from "../errors.ts";
import type {
  SomaCategoricalColumn,
  SomaColumn,
  SomaNumericColumn,
  SomaTable,
} from "../soma/mod.ts";
import type { NumericDtype } from "../storage.ts";

/** Numbers of any width as floats that hold them exactly. */
function floats(
  { data }: SomaNumericColumn,
): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  return Float64Array.from(data as ArrayLike<number>);
}

function categorical({ codes, categories, ordered }: SomaCategoricalColumn): CategoricalColumn {
  const numbers = categories.every((value) => typeof value === "number");
  const labels = numbers && categories.length > 0
    ? new NumericColumn(Float64Array.from(categories as readonly number[]))
    : categories.map(String);
  return new CategoricalColumn(Int32Array.from(codes), labels, { ordered });
}

/** A column of a data frame. */
function toColumn(name: string, column: SomaColumn): Column {
  switch (column.kind) {
    case "numeric": {
      const dtype = (/time/.test(column.type) ? "int64" : column.type) as NumericDtype;
      return new NumericColumn(floats(column), { dtype, ...column.mask && { mask: column.mask } });
    }
    case "boolean":
      return new BooleanColumn(column.data, { ...column.mask && { mask: column.mask } });
    case "string":
      return new StringColumn(column.data, { ...column.mask && { mask: column.mask } });
    case "categorical":
      return categorical(column);
    case "bytes":
      throw new FormatError("encoding", "Cannot put byte strings into a data frame", {
        file: "a SOMA table",
        key: name,
      });
  }
}

/**
 * A SOMA table as a data frame.
 *
 * @param table The table.
 * @param options `index`: the column whose values name the rows; it stays a column.
 * @returns The frame; integers of 64 bits are float64 that hold them exactly.
 * @throws {RangeError} Where there is no such column.
 */
export function toDataFrame(table: SomaTable, options: { readonly index: string }): DataFrame {
  const names = Array.from(
    { length: table.length },
    (_, row) => String(table.at(options.index, row)),
  );
  const columns = Object.fromEntries(
    table.columns().map((name) => [name, toColumn(name, table.column(name))]),
  );
  // The index has no name, as the column has it: AnnData's formats do not let both.
  return new DataFrame({ index: names, columns });
}
