/** Frames that the tests of interchange share. */
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

const mask = Uint8Array.of(0, 1, 0);

const LARGEST: Readonly<Record<Exclude<NumericDtype, "float16">, number>> = {
  int8: 127,
  uint8: 255,
  int16: 32767,
  uint16: 65535,
  int32: 2 ** 31 - 1,
  uint32: 2 ** 32 - 1,
  int64: Number.MAX_SAFE_INTEGER,
  uint64: Number.MAX_SAFE_INTEGER,
  float32: 1.5,
  float64: Math.PI,
};

/** Every kind of column and element type, with and without rows that have no value. */
export function everyKind(): DataFrame {
  const columns: Record<string, Column> = {
    note: new StringColumn(["a", "", 'ü, "x"\n']),
    remark: new StringColumn(["😀", "", "z"], { mask }),
    kept: new BooleanColumn([true, false, true]),
    checked: new BooleanColumn([true, false, true], { mask }),
    label: new CategoricalColumn(Int32Array.of(1, -1, 0), ["z", "a"], { ordered: true }),
    cluster: new CategoricalColumn(
      Int32Array.of(1, 1, 0),
      new NumericColumn(Float64Array.of(10, 2), { dtype: "int64" }),
    ),
    gaps: new NumericColumn(Float64Array.of(NaN, 0, Infinity), { mask }),
  };
  for (const [dtype, largest] of Object.entries(LARGEST) as [NumericDtype, number][]) {
    const Values = /16|8|float32/.test(dtype) ? Float32Array : Float64Array;
    const least = dtype.startsWith("u") ? 0 : -2;
    columns[dtype] = new NumericColumn(Values.of(largest, 1, least), { dtype });
    columns[`${dtype}_masked`] = new NumericColumn(Values.of(largest, 0, least), { dtype, mask });
  }
  return new DataFrame({ index: ["x", "é", "z"], columns, indexName: "cell" });
}

/** What a column holds, in a form that can be compared. */
function contents(column: Column): unknown {
  const values = [...column.values()];
  if (column.kind === "categorical") {
    return [values, column.categories, column.ordered, column.labels.kind];
  }
  const dtype = column.kind === "numeric" ? [column.dtype, column.data.constructor.name] : [];
  return [values, column.kind, ...dtype];
}

/** Asserts that two frames hold the same. */
export async function assertSameFrame(made: DataFrame, expected: DataFrame): Promise<void> {
  assert.deepEqual(made.columns(), expected.columns());
  assert.deepEqual([made.index, made.indexName], [expected.index, expected.indexName]);
  for (const name of expected.columns()) {
    const [column, wanted] = [await made.column(name), await expected.column(name)];
    assert.deepEqual(contents(column), contents(wanted), name);
  }
}
