/** Tables as scripts/dev/make_frame_fixtures.py writes them. */
import assert from "node:assert/strict";
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  DataFrame,
  NumericColumn,
  type NumericDtype,
  StringColumn,
} from "../../../data/mod.ts";

/** A value as it is recorded: null where there is none, "NaN" for the number. */
export type Recorded = null | number | boolean | string;

/** A recorded column. */
export type RecordedColumn =
  | { readonly dtype: string; readonly values: readonly Recorded[] }
  | {
    readonly categories: readonly string[];
    readonly ordered: boolean;
    readonly values: readonly (string | null)[];
  };

/** A recorded table. */
export interface RecordedTable {
  readonly index: readonly string[];
  readonly columns: Readonly<Record<string, RecordedColumn>>;
}

/** Reads a fixture. */
export async function recorded<T>(name: string): Promise<T> {
  const url = new URL(`../../fixtures/frame/${name}.json`, import.meta.url);
  return JSON.parse(
    await Deno.readTextFile(url),
    (_, value) => value === "Infinity" ? Infinity : value,
  );
}

function columnOf(column: RecordedColumn): Column {
  if ("categories" in column) {
    const codes = column.values.map((value) =>
      value === null ? -1 : column.categories.indexOf(value)
    );
    return new CategoricalColumn(Int32Array.from(codes), column.categories, {
      ordered: column.ordered,
    });
  }
  const { dtype, values } = column;
  const mask = values.some((value) => value === null)
    ? { mask: Uint8Array.from(values, (value) => value === null ? 1 : 0) }
    : {};
  if (/bool/.test(dtype)) return new BooleanColumn(values.map((value) => value === true), mask);
  if (/object|str/.test(dtype)) {
    return new StringColumn(values.map((value) => String(value ?? "")), mask);
  }
  const data = Float64Array.from(values, (value) => value === "NaN" ? NaN : Number(value));
  const name = dtype.toLowerCase() as NumericDtype;
  return new NumericColumn(name === "float32" ? Float32Array.from(data) : data, {
    dtype: name,
    ...mask,
  });
}

/** The frame that a table was. */
export function frameOf(table: RecordedTable): DataFrame {
  const columns = Object.entries(table.columns).map(([name, column]) =>
    [name, columnOf(column)] as const
  );
  return new DataFrame({ index: table.index, columns: Object.fromEntries(columns) });
}

/** A value without the difference between NaN and no value, which pandas' plain floats do not make. */
function loose(value: unknown): unknown {
  if (value === null || value === "NaN" || Number.isNaN(value)) return "none";
  return Object.is(value, -0) ? 0 : value;
}

/** Compares a column with a recorded one: values within rounding, categories and their order. */
export function assertColumn(column: Column, expected: RecordedColumn, where: string): void {
  const values = [...column.values()].map(loose);
  const wanted = expected.values.map(loose);
  assert.equal(values.length, wanted.length, where);
  for (const [row, value] of values.entries()) {
    const want = wanted[row];
    if (typeof value === "number" && typeof want === "number" && Number.isFinite(want)) {
      assert.ok(
        Math.abs(value - want) <= 1e-13 * Math.abs(want),
        `${where} row ${row}: ${value} for ${want}`,
      );
    } else assert.equal(value, want, `${where} row ${row}`);
  }
  if (!("categories" in expected)) return;
  assert.equal(column.kind, "categorical", where);
  const { categories, ordered } = column as CategoricalColumn;
  assert.deepEqual([categories, ordered], [expected.categories, expected.ordered], where);
}

/** Compares a frame with a recorded table; the index too unless told. */
export async function assertTable(
  frame: DataFrame,
  expected: RecordedTable,
  options: { where: string; index?: boolean },
): Promise<void> {
  const { where, index = true } = options;
  assert.deepEqual(frame.columns(), Object.keys(expected.columns), where);
  if (index) assert.deepEqual(frame.index, expected.index, where);
  for (const [name, column] of Object.entries(expected.columns)) {
    assertColumn(await frame.column(name), column, `${where} ${name}`);
  }
}
