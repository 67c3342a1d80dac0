/** Comparisons of whole columns. Rows without a value equal null alone: they differ from all else and are not ordered. */
import type { CategoricalColumn, Column } from "../column.ts";
import { missingRows } from "../frame/missing.ts";
import { textComparer } from "../frame/text_order.ts";
import type { FilterComparison, FilterConstant } from "./ast.ts";

/** What values of a column are in a filter. */
const VALUE_TYPES = { numeric: "number", boolean: "boolean", string: "string" } as const;

/** Whether the sign of a comparison is what an operator asks for. */
const HOLDS: Readonly<Record<FilterComparison, (sign: number) => boolean>> = {
  "==": (sign) => sign === 0,
  "!=": (sign) => sign !== 0,
  "<": (sign) => sign < 0,
  "<=": (sign) => sign <= 0,
  ">": (sign) => sign > 0,
  ">=": (sign) => sign >= 0,
};

/** 1 where a row has no value, or the opposite. */
function isMissing(column: Column, op: FilterComparison): Uint8Array {
  if (op !== "==" && op !== "!=") {
    throw new TypeError(`Cannot filter as null can be compared by == and != alone: got ${op}`);
  }
  const missing = missingRows(column) ?? new Uint8Array(column.length);
  return Uint8Array.from(missing, (gone) => (gone ? 1 : 0) ^ (op === "==" ? 0 : 1));
}

/** Refuses a value that a column cannot hold. */
function checkValue(column: Exclude<Column, CategoricalColumn>, value: FilterConstant): void {
  const wanted: string = VALUE_TYPES[column.kind];
  const got: string = typeof value;
  if (got === wanted) return;
  throw new TypeError(
    `Cannot filter as a value to compare with must be a ${wanted}: got ${JSON.stringify(value)}`,
  );
}

/**
 * Numbers compared with one number; a loop for each operator, as this is where a million rows are read, and `Number` in place of
 * a choice, as a branch that is taken at random takes five times as long.
 */
function compareNumbers(
  data: Float32Array | Float64Array | Uint8Array,
  op: FilterComparison,
  value: number,
): Uint8Array {
  const keep = new Uint8Array(data.length);
  const { length } = data;
  if (op === "==") { for (let k = 0; k < length; k++) keep[k] = Number(data[k] === value); }
  else if (op === "!=") { for (let k = 0; k < length; k++) keep[k] = Number(data[k] !== value); }
  else if (op === "<") { for (let k = 0; k < length; k++) keep[k] = Number(data[k]! < value); }
  else if (op === "<=") { for (let k = 0; k < length; k++) keep[k] = Number(data[k]! <= value); }
  else if (op === ">") { for (let k = 0; k < length; k++) keep[k] = Number(data[k]! > value); }
  else for (let k = 0; k < length; k++) keep[k] = Number(data[k]! >= value);
  return keep;
}

/** Rows without a value differ from every value. */
function withMissing(
  keep: Uint8Array,
  mask: Uint8Array | undefined,
  op: FilterComparison,
): Uint8Array {
  if (mask === undefined) return keep;
  const gone = op === "!=" ? 1 : 0;
  for (let row = 0; row < keep.length; row++) if (mask[row]) keep[row] = gone;
  return keep;
}

function compareTexts(data: readonly string[], op: FilterComparison, value: string): Uint8Array {
  const compare = textComparer([...(op === "==" || op === "!=" ? [] : data), value]);
  const keep = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    const sign = data[row] === value ? 0 : compare(data[row]!, value);
    keep[row] = HOLDS[op](sign) ? 1 : 0;
  }
  return keep;
}

/** For each category whether it is what an operator asks for. */
function compareCategories(
  column: CategoricalColumn,
  op: FilterComparison,
  value: FilterConstant,
): Uint8Array {
  if (op === "==" || op === "!=") return compareValue(column.labels, op, value);
  const place = column.categories.indexOf(String(value));
  if (!column.ordered) {
    throw new TypeError(
      `Cannot filter as categories without an order can be compared by ==, != and in alone: got ${op}`,
    );
  }
  if (place < 0) {
    throw new TypeError(
      `Cannot filter as a value must be one of the ordered categories ${
        column.categories.join(", ")
      }: got ${JSON.stringify(value)}`,
    );
  }
  return Uint8Array.from(column.categories, (_, code) => HOLDS[op](code - place) ? 1 : 0);
}

/** What holds for each category, spread over the rows. */
function spread(codes: Int32Array, table: Uint8Array, missing: number): Uint8Array {
  const keep = new Uint8Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    keep[row] = codes[row]! < 0 ? missing : table[codes[row]!]!;
  }
  return keep;
}

/**
 * Compares a column with a value; throws `TypeError` where they cannot be compared.
 */
export function compareValue(
  column: Column,
  op: FilterComparison,
  value: FilterConstant,
): Uint8Array {
  if (value === null) return isMissing(column, op);
  if (column.kind === "categorical") {
    return spread(column.codes, compareCategories(column, op, value), op === "!=" ? 1 : 0);
  }
  checkValue(column, value);
  const keep = column.kind === "string"
    ? compareTexts(column.data, op, value as string)
    : compareNumbers(column.data, op, Number(value));
  return withMissing(keep, column.mask, op);
}

/** 1 where a row's value is one of a list. */
export function isMember(column: Column, values: readonly FilterConstant[]): Uint8Array {
  if (column.kind === "categorical") {
    const missing = values.includes(null) ? 1 : 0;
    return spread(column.codes, isMember(column.labels, values.filter((v) => v !== null)), missing);
  }
  const wanted = new Set(values);
  for (const value of values) if (value !== null) checkValue(column, value);
  const keep = new Uint8Array(column.length);
  for (let row = 0; row < keep.length; row++) keep[row] = wanted.has(column.at(row)) ? 1 : 0;
  const missing = wanted.has(null) ? missingRows(column) : undefined;
  missing?.forEach((gone, row) => gone && (keep[row] = 1));
  return keep;
}

/** Numbers or texts that stand for a column's values in comparisons with another column. */
function comparable(column: Column): { values: ArrayLike<string | number>; text: boolean } {
  if (column.kind === "numeric" || column.kind === "boolean") {
    return { values: column.data, text: false };
  }
  return { values: Array.from(column.values(), (value) => value ?? ""), text: true };
}

/** Compares two columns row by row; throws `TypeError` where one has numbers and the other texts. */
export function compareColumns(column: Column, op: FilterComparison, other: Column): Uint8Array {
  const [left, right] = [comparable(column), comparable(other)];
  const order = op !== "==" && op !== "!=";
  if (left.text !== right.text || order && [column, other].some((c) => c.kind === "categorical")) {
    throw new TypeError(
      `Cannot filter as columns must be comparable by ${op}: they are ${column.kind} and ${other.kind}`,
    );
  }
  const texts = left.text && order ? [...left.values as string[], ...right.values as string[]] : [];
  const compare = textComparer(texts);
  const [gone, alsoGone] = [missingRows(column), missingRows(other)];
  return Uint8Array.from({ length: column.length }, (_, row) => {
    if (gone?.[row] || alsoGone?.[row]) return op === "!=" ? 1 : 0;
    const [a, b] = [left.values[row]!, right.values[row]!];
    const sign = left.text ? compare(a as string, b as string) : Number(a) - Number(b);
    return HOLDS[op](a === b ? 0 : sign) ? 1 : 0;
  });
}
