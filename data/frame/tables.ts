/** Counts and summaries of columns, as parts of a new table. */
import { CategoricalColumn, type Column, NumericColumn, StringColumn } from "../column.ts";
import type { LazyMap } from "../lazy_map.ts";
import { countCodes, factorize, labelTexts } from "./factorize.ts";
import { moments, quantiles } from "./moments.ts";
import type { NameOf, Schema } from "./schema.ts";
import type { DataFrameParts } from "./shown.ts";

/** How values are counted. */
export interface ValueCountsOptions {
  /** Shares of all counted rows in place of numbers of rows. */
  readonly normalize?: boolean;
  /** From the most frequent value to the least unless told; otherwise in the order of the values. */
  readonly sort?: boolean;
}

/** Columns of a table of counts. */
export type CountedSchema<S extends Schema, N extends NameOf<S>, O> =
  & { readonly [K in N]: S[N] }
  & (O extends { normalize: true } ? { readonly proportion: "float64" }
    : { readonly count: "int64" });

/** How two columns are counted against each other. */
export interface CrosstabOptions {
  /** Divides by the sum of everything, of each row (`index`) or of each column. */
  readonly normalize?: "all" | "index" | "columns";
}

/** Cells of the largest table of pairs. */
const MOST_CELLS = 1 << 26;

/** Row where each level first appears. */
function firstRows(codes: Int32Array, levels: number): Float64Array {
  const first = new Float64Array(levels).fill(Infinity);
  for (let row = codes.length - 1; row >= 0; row--) if (codes[row]! >= 0) first[codes[row]!] = row;
  return first;
}

/** Counts each value of a column; categories without rows have 0, and equal counts keep the order in which values appear. */
export function countValues(
  name: string,
  column: Column,
  options: ValueCountsOptions,
): DataFrameParts {
  const { normalize = false, sort = true } = options;
  const { codes, levels } = factorize(column);
  const counts = countCodes(codes, levels.length);
  const labels = column.kind === "categorical";
  const first = labels ? undefined : firstRows(codes, levels.length);
  let order = [...counts.keys()].filter((level) => labels || counts[level]! > 0);
  if (sort) {
    if (first) order = order.sort((a, b) => first[a]! - first[b]!);
    order = order.sort((a, b) => counts[b]! - counts[a]!);
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const values = Float64Array.from(
    order,
    (level) => normalize ? counts[level]! / total : counts[level]!,
  );
  const taken = levels.take(order);
  return {
    index: labelTexts(taken),
    columns: {
      [name]: taken,
      [normalize ? "proportion" : "count"]: new NumericColumn(values, {
        dtype: normalize ? "float64" : "int64",
      }),
    },
  };
}

/** Divides a table of counts, row-major, by the sums that `normalize` names. */
function shares(
  counts: Float64Array<ArrayBuffer>,
  width: number,
  normalize: CrosstabOptions["normalize"],
): Float64Array<ArrayBuffer> {
  if (normalize === undefined) return counts;
  const sums = new Map<number, number>();
  const keyOf = (k: number) =>
    normalize === "all" ? 0 : normalize === "index" ? Math.floor(k / width) : k % width;
  counts.forEach((count, k) => sums.set(keyOf(k), (sums.get(keyOf(k)) ?? 0) + count));
  return counts.map((count, k) => count / sums.get(keyOf(k))!);
}

/** Refuses tables that nobody could look at. */
function checkCells(cells: number): void {
  if (cells <= MOST_CELLS) return;
  throw new RangeError(
    `Cannot count pairs as a table must have at most ${MOST_CELLS} cells: got ${cells}`,
  );
}

/** Counts pairs of values: a row for each value of the first column, a column for each of the second. */
export function countPairs(
  rows: Column,
  columns: Column,
  options: CrosstabOptions,
): DataFrameParts {
  const [down, across] = [factorize(rows), factorize(columns)];
  const nDown = down.levels.length, nAcross = across.levels.length;
  checkCells(nDown * nAcross);
  const pairs = new Float64Array(nDown * nAcross);
  for (let row = 0; row < down.codes.length; row++) {
    const [a, b] = [down.codes[row]!, across.codes[row]!];
    if (a >= 0 && b >= 0) pairs[a * nAcross + b]!++;
  }
  const some = (cells: number[]) => cells.some((cell) => pairs[cell]! > 0);
  const lines = [...Array(nDown).keys()].filter((a) =>
    some(Array.from({ length: nAcross }, (_, b) => a * nAcross + b))
  );
  const top = [...Array(nAcross).keys()].filter((b) =>
    some(Array.from({ length: nDown }, (_, a) => a * nAcross + b))
  );
  const width = top.length;
  const counts = Float64Array.from(lines.flatMap((a) => top.map((b) => pairs[a * nAcross + b]!)));
  const values = shares(counts, width, options.normalize);
  const dtype = options.normalize === undefined ? "int64" as const : "float64" as const;
  const names = labelTexts(across.levels.take(top));
  return {
    index: labelTexts(down.levels.take(lines)),
    columns: Object.fromEntries(names.map((name, k) => [
      name,
      new NumericColumn(values.filter((_, cell) => cell % width === k), { dtype }),
    ])),
  };
}

/** Count, mean, deviation and quantiles of a numeric column. */
function summary(column: NumericColumn): Float64Array<ArrayBuffer> {
  const { data, mask } = column;
  const kept = new Float64Array(data.length);
  let count = 0;
  for (let row = 0; row < data.length; row++) {
    const value = data[row]!;
    if (value === value && !mask?.[row]) kept[count++] = value;
  }
  const values = kept.subarray(0, count);
  const { mean, std } = moments(values);
  return Float64Array.of(count, mean, std, ...quantiles(values, [0, 0.25, 0.5, 0.75, 1]));
}

/** How many values a column has, how many different ones, the most frequent one and how often it comes. */
function labelSummary(column: Column): string[] {
  const { index, columns } = countValues("value", column, {});
  const counts = [...(columns as Record<string, NumericColumn>)["count"]!.data];
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const distinct = counts.filter((count) => count > 0).length;
  return [rows, distinct, index[0] ?? "", counts[0] ?? 0].map(String);
}

/** Names of the numeric columns, or of all where none is numeric: told by the stored columns, before rows are gathered. */
export async function describedNames(stored: LazyMap<Column>): Promise<readonly string[]> {
  const names = stored.keys();
  const columns = await Promise.all(names.map((name) => stored.need(name)));
  const numeric = names.filter((_, k) => columns[k]!.kind === "numeric");
  return numeric.length > 0 ? numeric : names;
}

/** Summaries of the numeric columns, or of all where none is numeric. */
export function describeColumns(
  columns: readonly (readonly [string, Column])[],
): DataFrameParts {
  const numeric = columns.filter((pair): pair is [string, NumericColumn] =>
    pair[1].kind === "numeric"
  );
  if (numeric.length === 0) {
    return {
      index: ["count", "unique", "top", "freq"],
      columns: Object.fromEntries(
        columns.map(([name, column]) => [name, new StringColumn(labelSummary(column))]),
      ),
    };
  }
  return {
    index: ["count", "mean", "std", "min", "25%", "50%", "75%", "max"],
    columns: Object.fromEntries(
      numeric.map(([name, column]) => [name, new NumericColumn(summary(column))]),
    ),
  };
}

/** A label for each row: for naming parts that were put together. */
export function repeatedLabels(labels: readonly string[], lengths: readonly number[]): Column {
  const codes = lengths.flatMap((length, code) => new Array<number>(length).fill(code));
  return new CategoricalColumn(Int32Array.from(codes), labels);
}
