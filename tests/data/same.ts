/** Whether two AnnData hold the same, part by part. */
import assert from "node:assert/strict";
import {
  type AnnData,
  type AxisArray,
  type Column,
  DataFrame,
  isMatrix,
  type LazyMap,
  type Matrix,
  type UnsValue,
} from "../../data/mod.ts";

/** Everything that a column holds. */
function columnContent(column: Column): unknown {
  const { kind } = column;
  const values = [...column.values()];
  if (column.kind === "categorical") {
    return { kind, values, ordered: column.ordered, categories: [...column.labels.values()] };
  }
  const dtype = column.kind === "numeric" ? column.dtype : kind;
  return { kind, values, dtype, nullable: column.mask !== undefined };
}

/** Everything that a table holds. */
async function frameContent(frame: DataFrame): Promise<unknown> {
  const columns: [string, unknown][] = [];
  for (const name of frame.columns()) {
    columns.push([name, columnContent(await frame.column(name))]);
  }
  return { index: frame.index, indexName: frame.indexName, columns };
}

/** Everything that a matrix holds; an explicit zero counts as none. */
async function matrixContent(matrix: Matrix): Promise<unknown> {
  const { shape, dtype } = matrix;
  return { shape, dtype, values: await matrix.dense({ dtype: "float64" }) };
}

/** Everything that any value holds. */
async function content(value: UnsValue | AxisArray): Promise<unknown> {
  if (value === null || typeof value !== "object") return value;
  if (isMatrix(value)) return await matrixContent(value);
  if (value instanceof DataFrame) return await frameContent(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return value;
  if ("kind" in value && "values" in value) return columnContent(value as Column);
  const entries = Object.entries(value as Record<string, UnsValue>);
  const read = entries.map(async ([key, child]) => [key, await content(child)] as const);
  return Object.fromEntries((await Promise.all(read)).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Everything in a map, by name in order. */
async function mapContent<T extends UnsValue | AxisArray>(map: LazyMap<T>): Promise<unknown> {
  const entries: [string, unknown][] = [];
  for (const key of [...map.keys()].sort()) entries.push([key, await content(await map.need(key))]);
  return entries;
}

/** Everything that an AnnData holds, in parts that can be read or fail one by one. */
export function* partsOf(adata: AnnData): Generator<[string, () => Promise<unknown>]> {
  for (const part of ["obs", "var"] as const) {
    const frame = adata[part];
    yield [`${part} names`, () => Promise.resolve(frame.index)];
    for (const name of frame.columns()) {
      yield [`${part} ${name}`, async () => columnContent(await frame.column(name))];
    }
  }
  if (adata.X) yield ["X", () => matrixContent(adata.X!)];
  for (const part of ["layers", "obsm", "varm", "obsp", "varp", "uns"] as const) {
    const map: LazyMap<UnsValue | AxisArray> = adata[part];
    for (const key of map.keys()) {
      yield [`${part} ${key}`, async () => content(await map.need(key))];
    }
  }
  if (adata.raw === undefined) return;
  const { X, var: vars } = adata.raw;
  yield ["raw X", () => matrixContent(X)];
  yield ["raw var", () => frameContent(vars)];
}

/** Asserts that two AnnData hold the same. */
export async function assertSame(actual: AnnData, expected: AnnData): Promise<void> {
  for (const part of ["obs", "var"] as const) {
    assert.deepEqual(await frameContent(actual[part]), await frameContent(expected[part]), part);
  }
  assert.equal(actual.X === undefined, expected.X === undefined);
  if (actual.X && expected.X) {
    assert.deepEqual(await matrixContent(actual.X), await matrixContent(expected.X), "X");
  }
  for (const part of ["layers", "obsm", "varm", "obsp", "varp", "uns"] as const) {
    assert.deepEqual(
      await mapContent<UnsValue | AxisArray>(actual[part]),
      await mapContent<UnsValue | AxisArray>(expected[part]),
      part,
    );
  }
  assert.equal(actual.raw === undefined, expected.raw === undefined);
  if (!actual.raw || !expected.raw) return;
  assert.deepEqual(await matrixContent(actual.raw.X), await matrixContent(expected.raw.X), "raw");
  assert.deepEqual(await frameContent(actual.raw.var), await frameContent(expected.raw.var));
  assert.deepEqual(await mapContent(actual.raw.varm), await mapContent(expected.raw.varm));
}
