/** Which of several objects' elements along the genes a concatenation keeps: anndata's merge strategies. */
import type { AxisArray } from "./anndata.ts";
import type { Column } from "./column.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { typeOf } from "./frame/schema.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";

/** How elements along the genes are kept: see {@linkcode concat}. */
export type MergeStrategy = "same" | "unique" | "first" | "only";

/** Names of the elements that a strategy looks at, in order. */
function mergedNames<T>(maps: readonly LazyMap<T>[], strategy: MergeStrategy): string[] {
  const all = [...new Set(maps.flatMap((map) => map.keys()))];
  const holders = (name: string) => maps.filter((map) => map.has(name)).length;
  if (strategy === "same") return all.filter((name) => holders(name) === maps.length);
  return strategy === "only" ? all.filter((name) => holders(name) === 1) : all;
}

/**
 * Keeps elements of one name by a strategy; values are read where they have to be compared.
 *
 * @param maps The elements of each object, in one order of genes.
 * @param strategy "same": equal in all objects; "unique": equal wherever there; "first": the first; "only": of one object alone.
 * @param equal Whether two values are equal.
 */
export async function mergeMaps<T>(
  maps: readonly LazyMap<T>[],
  strategy: MergeStrategy | null,
  equal: (a: T, b: T) => boolean | Promise<boolean>,
): Promise<LazyMap<T>> {
  const kept: [string, { load(): Promise<T> }][] = [];
  for (const name of strategy === null ? [] : mergedNames(maps, strategy)) {
    const [first, ...others] = maps.filter((map) => map.has(name)) as [LazyMap<T>, ...LazyMap<T>[]];
    let keep = true;
    if (strategy === "same" || strategy === "unique") {
      for (const other of others) {
        keep &&= await equal(await first.need(name), await other.need(name));
      }
    }
    if (keep) kept.push([name, { load: () => first.need(name) }]);
  }
  return new LazyMap("element", kept);
}

/** Whether two columns hold the same values of the same type; rows without a value are equal. */
export function equalColumns(a: Column, b: Column): boolean {
  if (typeOf(a) !== typeOf(b) || a.length !== b.length) return false;
  if (a.kind === "categorical" && b.kind === "categorical") {
    const [left, right] = [new Set(a.categories), new Set(b.categories)];
    const order = a.ordered ? a.categories.every((name, k) => name === b.categories[k]) : true;
    if (a.ordered !== b.ordered || !order) return false;
    if (left.size !== right.size || !left.isSubsetOf(right)) return false;
  }
  for (let row = 0; row < a.length; row++) {
    const [x, y] = [a.at(row), b.at(row)];
    if (x !== y && !(Number.isNaN(x ?? NaN) && Number.isNaN(y ?? NaN))) return false;
  }
  return true;
}

/** Whether two matrices have equal values; NaN equals NaN. */
export async function equalMatrices(a: Matrix, b: Matrix): Promise<boolean> {
  if (a === b) return true;
  if (a.shape[0] !== b.shape[0] || a.shape[1] !== b.shape[1]) return false;
  if ((a.format === "dense") !== (b.format === "dense")) return false;
  const batch = Math.max(1, Math.floor((1 << 20) / Math.max(1, a.shape[1])));
  for (let start = 0; start < a.shape[0]; start += batch) {
    const range = { start, end: Math.min(start + batch, a.shape[0]), dtype: "float64" } as const;
    const [x, y] = [await a.dense(range), await b.dense(range)];
    if (x.some((value, k) => value !== y[k] && !(Number.isNaN(value) && Number.isNaN(y[k])))) {
      return false;
    }
  }
  return true;
}

/** Whether two tables have equal columns. */
async function equalFrames(a: DataFrame, b: DataFrame): Promise<boolean> {
  const [names, others] = [a.columns(), b.columns()];
  if (names.length !== others.length || names.some((name, k) => name !== others[k])) return false;
  for (const name of names) {
    if (!equalColumns(await a.column(name), await b.column(name))) return false;
  }
  return true;
}

/** Whether what two varm hold is equal; lists of any length are where they are the same object. */
export async function equalAxisArrays(a: AxisArray, b: AxisArray): Promise<boolean> {
  if (isMatrix(a)) return isMatrix(b) && await equalMatrices(a, b);
  if (a instanceof DataFrame) return b instanceof DataFrame && await equalFrames(a, b);
  return a === b;
}

/** A table over other rows; -1 for one that it lacks. */
export function reindexed(
  frame: DataFrame,
  rows: Int32Array,
  index: readonly string[],
): DataFrame {
  return new DataFrame({ index, columns: columnsOf(frame).map((column) => column.take(rows)) });
}
