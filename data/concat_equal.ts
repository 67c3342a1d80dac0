/** Which values a concatenation takes for equal: what anndata's merge strategies do. */
import { AwkwardArray } from "./awkward.ts";
import { equalAwkward } from "./awkward_equal.ts";
import type { Column } from "./column.ts";
import { DataFrame } from "./dataframe.ts";
import { typeOf } from "./frame/schema.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { isColumn, isDict, isNdArray, isRecords, type UnsDict, type UnsValue } from "./uns.ts";

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
    if (!equalElements(a.at(row), b.at(row))) return false;
  }
  return true;
}

/** Whether two tables have equal names of rows and equal columns in the same order. */
async function equalFrames(a: DataFrame, b: DataFrame): Promise<boolean> {
  const [names, others] = [a.columns(), b.columns()];
  if (names.length !== others.length || names.some((name, k) => name !== others[k])) return false;
  const [index, other] = [a.index, b.index];
  if (index.length !== other.length || index.some((name, k) => name !== other[k])) return false;
  for (const name of names) {
    if (!equalColumns(await a.column(name), await b.column(name))) return false;
  }
  return true;
}

/** Whether the values of two matrices are equal; they are read in pieces. */
async function equalNumbers(a: Matrix, b: Matrix): Promise<boolean> {
  if (a.shape[0] !== b.shape[0] || a.shape[1] !== b.shape[1]) return false;
  const batch = Math.max(1, Math.floor((1 << 20) / Math.max(1, a.shape[1])));
  for (let start = 0; start < a.shape[0]; start += batch) {
    const range = { start, end: Math.min(start + batch, a.shape[0]), dtype: "float64" } as const;
    const [x, y] = [await a.dense(range), await b.dense(range)];
    if (x.some((value, k) => !equalElements(value, y[k]))) return false;
  }
  return true;
}

/** Whether two matrices are equal: sparse ones of any format and type, dense ones of the same type. */
async function equalMatrices(later: Matrix, first: Matrix): Promise<boolean> {
  const fit = later.format === "dense" ? later.dtype === first.dtype : first.format !== "dense";
  return fit && await equalNumbers(later, first);
}

/** A value of an array or column. */
type Element = unknown;

/** An array of any kind. */
interface Elements {
  readonly shape: readonly number[];
  /** numpy's name of the element type; "text" for texts. */
  readonly dtype: string;
  read(): ArrayLike<Element> | Promise<ArrayLike<Element>>;
}

/** Whether a number, or no value, is none. */
function isMissing(value: Element): boolean {
  return value === null || Number.isNaN(value);
}

/** Whether two elements are equal: NaN and no value are alike, and truth values are 0 and 1. */
function equalElements(a: Element, b: Element): boolean {
  if (a === b) return true;
  if (isMissing(a) || isMissing(b)) return isMissing(a) && isMissing(b);
  return typeof a !== "string" && typeof b !== "string" && typeof a !== typeof b &&
    Number(a) === Number(b);
}

/** Type of the elements of an array of one axis. */
function arrayDtype(data: ArrayLike<Element>): string {
  if (!ArrayBuffer.isView(data)) return typeof data[0] === "boolean" ? "bool" : "text";
  const [, name] = /^(?:Big)?(\w+)Array$/.exec(Object.prototype.toString.call(data).slice(8, -1))!;
  return name!.toLowerCase();
}

/** A column as pandas makes an array of it. */
function columnElements(column: Column): Elements {
  const values = Array.from<Element>(column.values());
  const gaps = column.kind !== "categorical" && (column.mask?.includes(1) ?? false);
  // As 64-bit integers come from a file: see UnsValue.
  const small = () => values.every((value) => value === (Number(value) | 0));
  const dtype = column.kind === "numeric"
    ? gaps ? "float64" : column.dtype === "int64" ? small() ? "int32" : "float64" : column.dtype
    : column.kind === "boolean"
    ? gaps ? "object" : "bool"
    : "text";
  return { shape: [values.length], dtype, read: () => values };
}

/** The value as an array; undefined where it is none. */
function elementsOf(value: UnsValue & object): Elements | undefined {
  if (isMatrix(value)) {
    const { shape, dtype } = value;
    return { shape, dtype, read: () => value.dense({ dtype: "float64" }) };
  }
  if (isColumn(value)) return columnElements(value);
  const flat = isNdArray(value) ? value.data : value;
  if (!Array.isArray(flat) && !ArrayBuffer.isView(flat)) return undefined;
  const data = flat as ArrayLike<Element>;
  const shape = isNdArray(value) ? value.shape : [data.length];
  return { shape, dtype: arrayDtype(data), read: () => data };
}

/** Whether two arrays have equal elements, and of the same type where that matters. */
async function equalArrays(
  later: Elements | undefined,
  first: Elements | undefined,
  sameType: boolean,
): Promise<boolean> {
  if (later === undefined || first === undefined) return false;
  if (sameType && later.dtype !== first.dtype) return false;
  if (later.shape.length !== first.shape.length) return false;
  if (later.shape.some((length, axis) => length !== first.shape[axis])) return false;
  const [a, b] = [await later.read(), await first.read()];
  for (let k = 0; k < a.length; k++) if (!equalElements(a[k], b[k])) return false;
  return true;
}

/** Whether two arrays of records have the same fields in the same order, and equal values in them. */
async function equalRecords(later: UnsDict, first: UnsDict): Promise<boolean> {
  const [names, others] = [Object.keys(later), Object.keys(first)];
  if (names.length !== others.length || names.some((name, k) => name !== others[k])) return false;
  for (const name of names) if (!await equalValues(later[name]!, first[name]!)) return false;
  return true;
}

/**
 * Whether a value equals the first of its name, by the rules of anndata's merge strategies. Arrays must be of one type, unless
 * the later one is a column or sparse; NaN in arrays equals NaN, as a single number it equals nothing.
 */
export function equalValues(
  later: UnsValue,
  first: UnsValue,
): boolean | Promise<boolean> {
  if (later === first) return true;
  if (later === null || typeof later !== "object" || first === null || typeof first !== "object") {
    const numbers = [later, first].every((x) => typeof x !== "object" && typeof x !== "string");
    return numbers && typeof later !== typeof first && Number(later) === Number(first);
  }
  if (later instanceof DataFrame) return first instanceof DataFrame && equalFrames(later, first);
  if (later instanceof AwkwardArray) {
    return first instanceof AwkwardArray && equalAwkward(later, first);
  }
  if (isRecords(later)) return isRecords(first) && equalRecords(later, first);
  if (isDict(later) || isDict(first) || isRecords(first)) return false;
  if (isMatrix(later) && isMatrix(first)) return equalMatrices(later, first);
  if (isMatrix(later) && later.format !== "dense") return false;
  return equalArrays(elementsOf(later), elementsOf(first), !isColumn(later));
}
