/** Stable order of rows by columns: radix passes over 16-bit words of keys. */
import type { Column, NumericColumn } from "../column.ts";
import { factorize } from "./factorize.ts";
import { missingRows } from "./missing.ts";

/** How rows are sorted. */
export interface SortOptions {
  /** Ascending unless told; a list has one for each column. */
  readonly ascending?: boolean | readonly boolean[];
  /** Where rows without a value go; last unless told, in either direction. */
  readonly naPosition?: "first" | "last";
}

const BUCKETS = 1 << 16;

/** Words whose unsigned order, the last word most significant, is the order of the values. */
function wordsOf(column: Column): Uint16Array[] {
  if (column.kind === "numeric") return floatWords(column);
  if (column.kind === "boolean") return [Uint16Array.from(column.data)];
  const { codes } = factorize(column);
  const low = new Uint16Array(codes.length);
  const high = new Uint16Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    low[row] = codes[row]! & 0xffff;
    high[row] = codes[row]! >>> 16;
  }
  return [low, high];
}

/**
 * Words of numbers as doubles: the sign is turned, and negative numbers are inverted, so that bits compare as the numbers do.
 * Words that are the same in all rows, as the low ones of small whole numbers are, are left out.
 */
function floatWords({ data }: NumericColumn): Uint16Array[] {
  const { length } = data;
  const cell = new Float64Array(1);
  const bits = new Uint16Array(cell.buffer);
  const words = Array.from({ length: 4 }, () => new Uint16Array(length));
  const [w0, w1, w2, w3] = words as [Uint16Array, Uint16Array, Uint16Array, Uint16Array];
  const varied = [0, 0, 0, 0];
  for (let row = 0; row < length; row++) {
    cell[0] = data[row]! + 0; // the zero of either sign is one number
    const flip = bits[3]! >= 0x8000 ? 0xffff : 0;
    w0[row] = bits[0]! ^ flip;
    w1[row] = bits[1]! ^ flip;
    w2[row] = bits[2]! ^ flip;
    w3[row] = bits[3]! ^ (flip | 0x8000);
    varied[0]! |= w0[row]! ^ w0[0]!;
    varied[1]! |= w1[row]! ^ w1[0]!;
    varied[2]! |= w2[row]! ^ w2[0]!;
    varied[3]! |= w3[row]! ^ w3[0]!;
  }
  return words.filter((_, k) => varied[k] !== 0);
}

/** One stable pass: rows ordered by a word. */
function pass(order: Uint32Array, word: Uint16Array, ascending: boolean): Uint32Array {
  const flip = ascending ? 0 : 0xffff;
  const starts = new Uint32Array(BUCKETS + 1);
  for (let row = 0; row < word.length; row++) starts[(word[row]! ^ flip) + 1]!++;
  if (word.length > 0 && starts[(word[0]! ^ flip) + 1] === word.length) return order;
  for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1]! += starts[bucket]!;
  const next = new Uint32Array(order.length);
  for (let k = 0; k < order.length; k++) {
    const row = order[k]!;
    next[starts[word[row]! ^ flip]!++] = row;
  }
  return next;
}

/** Rows without a value moved to one end; their order and that of the others stay. */
function partition(order: Uint32Array, missing: Uint8Array, first: boolean): Uint32Array {
  const [there, gone] = [order.filter((row) => !missing[row]), order.filter((row) => missing[row])];
  const parts = first ? [gone, there] : [there, gone];
  order.set(parts[0]!);
  order.set(parts[1]!, parts[0]!.length);
  return order;
}

/**
 * Rows in the order of the columns' values, the first column most significant.
 *
 * @param columns The columns, all of `length` rows.
 * @param length Number of rows.
 * @param options Directions and where rows without a value go.
 */
export function sortOrder(
  columns: readonly Column[],
  length: number,
  options: SortOptions,
): Uint32Array {
  const { ascending = true, naPosition = "last" } = options;
  let order: Uint32Array = Uint32Array.from({ length }, (_, row) => row);
  for (let k = columns.length - 1; k >= 0; k--) {
    const up = typeof ascending === "boolean" ? ascending : ascending[k]!;
    const missing = missingRows(columns[k]!);
    for (const word of wordsOf(columns[k]!)) {
      // What stands where there is no value must not tell such rows apart.
      missing?.forEach((gone, row) => gone && (word[row] = 0));
      order = pass(order, word, up);
    }
    if (missing !== undefined) order = partition(order, missing, naPosition === "first");
  }
  return order;
}

/** Refuses directions that do not fit the columns. */
export function checkSort(columns: number, options: SortOptions): void {
  const { ascending, naPosition } = options;
  if (Array.isArray(ascending) && ascending.length !== columns) {
    throw new RangeError(
      `Cannot sort as ascending must have one for each of ${columns} columns: got ${ascending.length}`,
    );
  }
  if (naPosition !== undefined && naPosition !== "first" && naPosition !== "last") {
    throw new RangeError(
      `Cannot sort as naPosition must be "first" or "last": got ${JSON.stringify(naPosition)}`,
    );
  }
}
