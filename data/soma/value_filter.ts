/** Value filters on columns: what they may compare, and which rows pass. */
import { describeNames } from "../checks.ts";
import {
  type ColumnCondition,
  type FilterCondition,
  type FilterValue,
  parseValueFilter,
  type ValueFilter,
} from "./value_filter_parse.ts";
import { ValueFilterError } from "./value_filter_tokens.ts";

/** What a filter has to know of a column before it reads it. */
export type FilterColumnType =
  | { readonly kind: "numeric" | "boolean" | "string" }
  | {
    readonly kind: "categorical";
    /** Whether the order of the categories means something. */
    readonly ordered: boolean;
    /** The categories, in order. */
    readonly categories: readonly (string | number | bigint | boolean)[];
  };

/** Values of a column that a filter reads; the columns of data frames and of SOMA tables are such. */
export type FilterColumn =
  & {
    /** 1 where a value is missing. */
    readonly mask?: ArrayLike<number> | undefined;
  }
  & (
    | { readonly kind: "numeric"; readonly data: ArrayLike<number | bigint> }
    | { readonly kind: "boolean"; readonly data: ArrayLike<number> }
    | { readonly kind: "string"; readonly data: ArrayLike<string> }
    | {
      readonly kind: "categorical";
      /** Place of each row's value in the categories; -1 where it is missing. */
      readonly codes: ArrayLike<number>;
      readonly categories: readonly (string | number | bigint | boolean)[];
    }
  );

const WORDS: Readonly<Record<string, string>> = {
  string: "a text in quotes",
  number: "a number",
  bigint: "a number",
  boolean: "True or False",
};

/** Kind of value that a column is compared with. */
function wantedKind(type: FilterColumnType): string {
  if (type.kind === "numeric") return "number";
  if (type.kind !== "categorical") return type.kind;
  const [first] = type.categories;
  return typeof first === "bigint" ? "number" : typeof first === "undefined" ? "any" : typeof first;
}

/** Refuses a condition that its column does not allow. */
function checkCondition(
  condition: ColumnCondition,
  filter: ValueFilter,
  type: FilterColumnType,
): void {
  const { column, op, values, at, valuesAt } = condition;
  const fail = (rule: string, position: number) =>
    new ValueFilterError(`the column ${JSON.stringify(column)} ${rule}`, {
      filter: filter.text,
      position,
      column,
    });
  const ordering = ["<", "<=", ">", ">="].includes(op);
  if (ordering && type.kind === "boolean") {
    throw fail("holds truth values, which have no order", at);
  }
  if (ordering && type.kind === "categorical" && !type.ordered) {
    throw fail("holds categories without an order", at);
  }
  const wanted = wantedKind(type);
  values.forEach((value, k) => {
    if (value === null) {
      if (op === "==" || op === "!=") return;
      throw fail("can be compared with None by == and != alone", valuesAt[k]!);
    }
    const found = typeof value === "bigint" ? "number" : typeof value;
    const asBoolean = wanted === "boolean" && (value === 0 || value === 1);
    if (found === wanted || wanted === "any" || asBoolean) return;
    throw fail(
      `must be compared with ${WORDS[wanted]}: got ${JSON.stringify(String(value))}`,
      valuesAt[k]!,
    );
  });
}

/**
 * Refuses a filter that names columns that are not there, or compares them with values that they cannot hold.
 *
 * @param filter The parsed filter.
 * @param typeOf What a column is; undefined where there is none of that name.
 * @param names The columns that there are, for the message.
 * @throws {ValueFilterError} Names the column and points at the place.
 */
export function checkValueFilter(
  filter: ValueFilter,
  typeOf: (column: string) => FilterColumnType | undefined,
  names: readonly string[],
): void {
  const check = (condition: FilterCondition): void => {
    if (condition.kind !== "column") return condition.parts.forEach(check);
    const { column, at } = condition;
    const type = typeOf(column);
    if (type === undefined) {
      throw new ValueFilterError(
        `there is no column ${JSON.stringify(column)}: ${describeNames(column, names)}`,
        { filter: filter.text, position: at, column },
      );
    }
    checkCondition(condition, filter, type);
  };
  check(filter.condition);
}

/** A test of one value. */
type Test<T> = (value: T) => boolean;

/** The test of a condition for values that are there. */
function testOf<T extends string | number | bigint | boolean>(
  op: ColumnCondition["op"],
  values: readonly T[],
): Test<T> {
  const [value] = values as readonly [T];
  switch (op) {
    case "==":
      return (cell) => cell == value;
    case "!=":
      return (cell) => cell != value;
    case "<":
      return (cell) => cell < value;
    case "<=":
      return (cell) => cell <= value;
    case ">":
      return (cell) => cell > value;
    case ">=":
      return (cell) => cell >= value;
    default: {
      const set = new Set<string | number | bigint | boolean>(values.map(plain));
      return (cell) => set.has(plain(cell)) === (op === "in");
    }
  }
}

/** A value such that equal numbers are the same key. */
function plain(value: string | number | bigint | boolean): string | number | bigint | boolean {
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Rows of one column that pass. */
function columnRows(condition: ColumnCondition, column: FilterColumn, length: number): Uint8Array {
  const rows = new Uint8Array(length);
  const { op, values } = condition;
  if (values[0] === null && (op === "==" || op === "!=")) {
    const wanted = op === "==";
    for (let i = 0; i < length; i++) rows[i] = Number(isMissing(column, i) === wanted);
    return rows;
  }
  const there = values as readonly Exclude<FilterValue, null>[];
  if (column.kind === "categorical") {
    // Each category is compared once; -1, a missing value, is a place that nothing has.
    const { ordered, categories } = { ordered: /[<>]/.test(op), categories: column.categories };
    const test = ordered ? orderTest(op, categories, there[0]!) : valueTest(op, categories, there);
    const passes = Uint8Array.from(categories, (_, code) => Number(test(code)));
    for (let i = 0; i < length; i++) rows[i] = passes[column.codes[i]!] ?? 0;
  } else if (column.kind === "numeric") {
    const given = there as readonly (number | bigint)[];
    // A column of 32-bit floats holds 0.1 as its nearest one, and so does what it is compared with.
    const numbers = column.data instanceof Float32Array
      ? given.map((value) => Math.fround(Number(value)))
      : given;
    markRows(rows, column.data as ArrayLike<number>, testOf<number | bigint>(op, numbers));
  } else if (column.kind === "boolean") {
    markRows(rows, column.data, testOf(op, there.map(Number)));
  } else markRows(rows, column.data, testOf(op, there as readonly string[]));
  const { mask } = column;
  if (mask) { for (let i = 0; i < length; i++) if (mask[i]) rows[i] = 0; }
  return rows;
}

function markRows<T>(rows: Uint8Array, data: ArrayLike<T>, test: Test<T>): void {
  for (let i = 0; i < rows.length; i++) if (test(data[i]!)) rows[i] = 1;
}

type Categories = readonly (string | number | bigint | boolean)[];

function valueTest(
  op: ColumnCondition["op"],
  categories: Categories,
  values: Categories,
): Test<number> {
  const test = testOf(op, values);
  return (code) => test(categories[code]!);
}

/** Categories with an order are compared by their places; no place is that of a value that is none of them. */
function orderTest(
  op: ColumnCondition["op"],
  categories: Categories,
  value: Categories[number],
): Test<number> {
  const place = categories.findIndex((category) => category == value);
  return place === -1 ? () => false : testOf(op, [place]);
}

function isMissing(column: FilterColumn, row: number): boolean {
  return column.kind === "categorical" && column.codes[row]! < 0 || column.mask?.[row] === 1;
}

/**
 * Which rows pass a filter that was checked.
 *
 * @param filter The filter.
 * @param column Values of a column by its name.
 * @param length Number of rows.
 * @returns 1 where a row passes.
 *
 * @example Rows of two columns
 * ```ts
 * import assert from "node:assert/strict";
 * import { filterRows, parseValueFilter } from "@scgpt/sdk/data/soma";
 *
 * const columns = {
 *   tissue: { kind: "categorical", codes: [0, 1, -1], categories: ["lung", "skin"] },
 *   n_genes: { kind: "numeric", data: [300, 100, 500] },
 * } as const;
 * const filter = parseValueFilter('tissue != "skin" or n_genes < 200');
 * const rows = filterRows(filter, (name) => columns[name as keyof typeof columns], 3);
 * assert.deepEqual([...rows], [1, 1, 0]);
 * ```
 */
export function filterRows(
  filter: ValueFilter,
  column: (name: string) => FilterColumn,
  length: number,
): Uint8Array {
  const rowsOf = (condition: FilterCondition): Uint8Array => {
    if (condition.kind === "column") {
      return columnRows(condition, column(condition.column), length);
    }
    const rows = rowsOf(condition.parts[0]!);
    for (const part of condition.parts.slice(1)) {
      const more = rowsOf(part);
      if (condition.kind === "and") { for (let i = 0; i < length; i++) rows[i]! &= more[i]!; }
      else for (let i = 0; i < length; i++) rows[i]! |= more[i]!;
    }
    return rows;
  };
  return rowsOf(filter.condition);
}

/** The filter of a text, or a filter that was parsed before. */
export function toValueFilter(filter: string | ValueFilter): ValueFilter {
  return typeof filter === "string" ? parseValueFilter(filter) : filter;
}
