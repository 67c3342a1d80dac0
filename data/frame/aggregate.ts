/** Aggregations of a column over groups of rows, with pandas' rules: rows without a value are left out. */
import { type Column, NumericColumn } from "../column.ts";
import type { NumericDtype } from "../storage.ts";
import { countCodes, factorize } from "./factorize.ts";
import { type Groups, rowsByGroup } from "./groups.ts";
import { missingRows } from "./missing.ts";
import { quantiles } from "./moments.ts";
import type { NameOf, Schema } from "./schema.ts";

/** What {@linkcode GroupBy.agg} computes of a column; `std` and `var` divide by n - 1. */
export type AggregateName =
  | "count"
  | "nunique"
  | "sum"
  | "mean"
  | "std"
  | "var"
  | "median"
  | "min"
  | "max"
  | "first"
  | "last";

/** An output column: number of rows, or an aggregation of a column. */
export type Aggregation<S extends Schema> = "size" | readonly [NameOf<S>, AggregateName];

/** Type of an output column. */
export type AggregatedType<S extends Schema, A> = A extends readonly [infer N, infer H]
  ? H extends "count" | "nunique" ? "int64"
  : H extends "mean" | "std" | "var" | "median" ? "float64"
  : H extends "sum" ? "numeric"
  : S[N & keyof S]
  : "int64";

/** Values of a column by group. */
interface Grouped {
  readonly column: Column;
  readonly groups: Groups;
  /** Group of each row that has a value, -1 for the others. */
  readonly codes: Int32Array;
}

/** The numbers of a column; truth values count as 0 and 1. */
function numbersOf({ column }: Grouped): ArrayLike<number> {
  if (column.kind === "numeric" || column.kind === "boolean") return column.data;
  throw new TypeError(
    `Cannot aggregate as the column must be numeric or boolean: it is ${column.kind}`,
  );
}

/** Sum of each group; what rounding loses is added back (Kahan), as in pandas. */
function sums(
  grouped: Grouped,
  value: (x: number, group: number) => number,
): Float64Array<ArrayBuffer> {
  const numbers = numbersOf(grouped);
  const total = new Float64Array(grouped.groups.count);
  const lost = new Float64Array(grouped.groups.count);
  for (let row = 0; row < numbers.length; row++) {
    const group = grouped.codes[row]!;
    if (group < 0) continue;
    const y = value(numbers[row]!, group) - lost[group]!;
    const t = total[group]! + y;
    // An infinite sum has lost nothing that could be added back.
    lost[group] = Number.isFinite(t) ? t - total[group]! - y : 0;
    total[group] = t;
  }
  return total;
}

function means(grouped: Grouped): Float64Array<ArrayBuffer> {
  const counts = countCodes(grouped.codes, grouped.groups.count);
  return sums(grouped, (x) => x).map((sum, group) => sum / counts[group]!);
}

function variances(grouped: Grouped): Float64Array<ArrayBuffer> {
  const counts = countCodes(grouped.codes, grouped.groups.count);
  const mean = means(grouped);
  const squares = sums(grouped, (x, group) => (x - mean[group]!) ** 2);
  return squares.map((sum, group) => counts[group]! > 1 ? sum / (counts[group]! - 1) : NaN);
}

function medians(grouped: Grouped): Float64Array<ArrayBuffer> {
  const numbers = numbersOf(grouped);
  const { codes, groups: { count, keys } } = grouped;
  const { rows, starts } = rowsByGroup({ codes, count, keys });
  const values = new Float64Array(rows.length);
  for (let k = 0; k < rows.length; k++) values[k] = numbers[rows[k]!]!;
  return Float64Array.from({ length: count }, (_, group) => {
    return quantiles(values.subarray(starts[group], starts[group + 1]), [0.5])[0]!;
  });
}

/** Number of distinct values of each group. */
function distinct(grouped: Grouped): Float64Array<ArrayBuffer> {
  const { codes: levels, levels: { length } } = factorize(grouped.column);
  const { codes, groups: { count, keys } } = grouped;
  const { rows, starts } = rowsByGroup({ codes, count, keys });
  const lastSeen = new Int32Array(length).fill(-1);
  const counts = new Float64Array(count);
  for (let group = 0; group < count; group++) {
    for (let k = starts[group]!; k < starts[group + 1]!; k++) {
      const level = levels[rows[k]!]!;
      if (lastSeen[level] !== group) counts[group]!++;
      lastSeen[level] = group;
    }
  }
  return counts;
}

/** The column of one row of each group: the one that wins against all others of its group. */
function pick(grouped: Grouped, wins: (row: number, held: number) => boolean): Column {
  const held = new Int32Array(grouped.groups.count).fill(-1);
  for (let row = 0; row < grouped.codes.length; row++) {
    const group = grouped.codes[row]!;
    if (group >= 0 && (held[group]! < 0 || wins(row, held[group]!))) held[group] = row;
  }
  return grouped.column.take(held);
}

/** The least or greatest value of each group. */
function extreme(grouped: Grouped, sign: 1 | -1): Column {
  const { column } = grouped;
  if (column.kind === "categorical" && !column.ordered) {
    throw new TypeError("Cannot aggregate as the categories must be ordered: they are not");
  }
  const keys = column.kind === "numeric" ? column.data : factorize(column).codes;
  return pick(grouped, (row, held) => sign * (keys[row]! - keys[held]!) < 0);
}

function float64(values: Float64Array<ArrayBuffer>): Column {
  return new NumericColumn(values, { dtype: "float64" });
}

function int64(values: Float64Array<ArrayBuffer>): Column {
  return new NumericColumn(values, { dtype: "int64" });
}

/** Type of a sum: the widest of its kind, as whole numbers stay whole. */
function sumDtype(column: Column): NumericDtype {
  if (column.kind !== "numeric") return "int64";
  if (column.dtype.startsWith("float")) return "float64";
  return column.dtype.startsWith("u") ? "uint64" : "int64";
}

const AGGREGATES: Readonly<Record<AggregateName, (grouped: Grouped) => Column>> = {
  count: ({ codes, groups }) => int64(countCodes(codes, groups.count)),
  nunique: (grouped) => int64(distinct(grouped)),
  sum: (grouped) => new NumericColumn(sums(grouped, (x) => x), { dtype: sumDtype(grouped.column) }),
  mean: (grouped) => float64(means(grouped)),
  std: (grouped) => float64(variances(grouped).map(Math.sqrt)),
  var: (grouped) => float64(variances(grouped)),
  median: (grouped) => float64(medians(grouped)),
  min: (grouped) => extreme(grouped, 1),
  max: (grouped) => extreme(grouped, -1),
  first: (grouped) => pick(grouped, () => false),
  last: (grouped) => pick(grouped, () => true),
};

/** Names of the aggregations. */
export const AGGREGATE_NAMES = Object.keys(AGGREGATES);

/** Number of rows of each group. */
export function groupSizes({ codes, count }: Groups): Column {
  return int64(countCodes(codes, count));
}

/** Aggregates a column over groups. */
export function aggregate(column: Column, how: AggregateName, groups: Groups): Column {
  const missing = missingRows(column);
  const codes = missing === undefined ? groups.codes : groups.codes.slice();
  missing?.forEach((gone, row) => gone && (codes[row] = -1));
  return AGGREGATES[how]({ column, groups, codes });
}
