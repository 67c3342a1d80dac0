/** Typed columns of a data frame. */
import { checkOptions } from "./checks.ts";
import { type RowNumbers, takeCodes, takeElements, takeMask, takeTexts } from "./frame/take.ts";
import { textComparer } from "./frame/text_order.ts";
import type { FloatArray } from "./numbers.ts";
import type { NumericDtype } from "./storage.ts";

/** Kinds of columns. */
export type ColumnKind = "numeric" | "boolean" | "string" | "categorical";

/** Refuses a mask that is not as long as the values. */
function checkMask(mask: Uint8Array | undefined, length: number): void {
  if (mask !== undefined && mask.length !== length) {
    throw new RangeError(
      `Cannot make a column as mask must have ${length} elements: got ${mask.length}`,
    );
  }
}

/** The mask of some rows as an option. */
function maskAt(mask: Uint8Array | undefined, rows: RowNumbers): { mask?: Uint8Array } {
  const taken = takeMask(mask, rows);
  return taken === undefined ? {} : { mask: taken };
}

/** Every value of a column, null where it is missing. */
function* valuesOf<T>(column: { length: number; at(row: number): T }): Generator<T> {
  for (let row = 0; row < column.length; row++) yield column.at(row);
}

/** Numbers; floats may be NaN, and a mask marks missing values where the column is nullable. */
export class NumericColumn<D extends NumericDtype = NumericDtype> {
  /** Tells the kinds apart. */
  readonly kind = "numeric";
  /** The values, whatever stands there where one is missing. */
  readonly data: FloatArray;
  /** Stored element type, which the column is written with. */
  readonly dtype: D;
  /** 1 where a value is missing; undefined where the column is not nullable. */
  readonly mask: Uint8Array | undefined;

  /**
   * Makes a column of numbers.
   *
   * @param data The values, not copied.
   * @param options `dtype`: element type to write, that of `data` unless told; `mask`: 1 where a value is missing.
   */
  constructor(data: FloatArray, options: { dtype?: D; mask?: Uint8Array } = {}) {
    checkOptions("make a numeric column", options, ["dtype", "mask"]);
    checkMask(options.mask, data.length);
    this.data = data;
    const own: NumericDtype = data instanceof Float32Array ? "float32" : "float64";
    this.dtype = options.dtype ?? own as D;
    this.mask = options.mask;
  }

  /** Number of rows. */
  get length(): number {
    return this.data.length;
  }

  /** Value of a row, null where it is missing. */
  at(row: number): number | null {
    return this.mask?.[row] ? null : this.data[row]!;
  }

  /** All values in order. */
  values(): Iterable<number | null> {
    return valuesOf(this);
  }

  /** The column of some rows; a row of -1 gives a missing value. */
  take(rows: RowNumbers): NumericColumn<D> {
    const data = takeElements(this.data, rows);
    return new NumericColumn(data, { dtype: this.dtype, ...maskAt(this.mask, rows) });
  }
}

/** Truth values; a mask marks missing ones where the column is nullable. */
export class BooleanColumn {
  /** Tells the kinds apart. */
  readonly kind = "boolean";
  /** 0 or 1 for each row. */
  readonly data: Uint8Array;
  /** 1 where a value is missing; undefined where the column is not nullable. */
  readonly mask: Uint8Array | undefined;

  /**
   * Makes a column of truth values.
   *
   * @param data Truth values, or 0 and 1.
   * @param options `mask`: 1 where a value is missing.
   */
  constructor(data: Uint8Array | readonly boolean[], options: { mask?: Uint8Array } = {}) {
    checkOptions("make a boolean column", options, ["mask"]);
    checkMask(options.mask, data.length);
    this.data = data instanceof Uint8Array ? data : Uint8Array.from(data, Number);
    this.mask = options.mask;
  }

  /** Number of rows. */
  get length(): number {
    return this.data.length;
  }

  /** Value of a row, null where it is missing. */
  at(row: number): boolean | null {
    return this.mask?.[row] ? null : this.data[row] === 1;
  }

  /** All values in order. */
  values(): Iterable<boolean | null> {
    return valuesOf(this);
  }

  /** The column of some rows; a row of -1 gives a missing value. */
  take(rows: RowNumbers): BooleanColumn {
    return new BooleanColumn(takeElements(this.data, rows), maskAt(this.mask, rows));
  }
}

/** Texts; a mask marks missing ones where the column is nullable. */
export class StringColumn {
  /** Tells the kinds apart. */
  readonly kind = "string";
  /** The texts. */
  readonly data: readonly string[];
  /** 1 where a value is missing; undefined where the column is not nullable. */
  readonly mask: Uint8Array | undefined;

  /**
   * Makes a column of texts.
   *
   * @param data The texts.
   * @param options `mask`: 1 where a value is missing.
   */
  constructor(data: readonly string[], options: { mask?: Uint8Array } = {}) {
    checkOptions("make a string column", options, ["mask"]);
    checkMask(options.mask, data.length);
    this.data = data;
    this.mask = options.mask;
  }

  /** Number of rows. */
  get length(): number {
    return this.data.length;
  }

  /** Value of a row, null where it is missing. */
  at(row: number): string | null {
    return this.mask?.[row] ? null : this.data[row]!;
  }

  /** All values in order. */
  values(): Iterable<string | null> {
    return valuesOf(this);
  }

  /** The column of some rows; a row of -1 gives a missing value. */
  take(rows: RowNumbers): StringColumn {
    return new StringColumn(takeTexts(this.data, rows), maskAt(this.mask, rows));
  }
}

/** Refuses codes that have no category. */
function checkCodes(codes: Int32Array, length: number): void {
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code >= -1 && code < length) continue;
    throw new RangeError(
      `Cannot make a categorical column as codes must be in -1 .. ${length - 1}: ` +
        `got ${code} in row ${row}`,
    );
  }
}

/** Values out of a short list of categories, as pandas keeps labels. */
export class CategoricalColumn {
  /** Tells the kinds apart. */
  readonly kind = "categorical";
  /** Place of each row's value in `categories`; -1 where it is missing. */
  readonly codes: Int32Array;
  /** The categories; numbers and truth values appear as text. */
  readonly categories: readonly string[];
  /** The categories as they are stored. */
  readonly labels: StringColumn | NumericColumn | BooleanColumn;
  /** Whether the order of the categories means something. */
  readonly ordered: boolean;

  /**
   * Makes a categorical column.
   *
   * @param codes Place of each row's value in `categories`; -1 where it is missing.
   * @param categories The categories, each once: texts, or a column where they are numbers or truth values.
   * @param options `ordered`: whether their order means something.
   * @throws {RangeError} Where a code has no category or a category repeats.
   */
  constructor(
    codes: Int32Array,
    categories: readonly string[] | StringColumn | NumericColumn | BooleanColumn,
    options: { ordered?: boolean } = {},
  ) {
    checkOptions("make a categorical column", options, ["ordered"]);
    this.labels = "kind" in categories ? categories : new StringColumn(categories);
    this.categories = Array.from(this.labels.values(), String);
    const { length } = this.categories;
    checkCodes(codes, length);
    if (new Set(this.categories).size !== length) {
      throw new RangeError("Cannot make a categorical column as a category repeats");
    }
    this.codes = codes;
    this.ordered = options.ordered ?? false;
  }

  /**
   * Makes a categorical column out of its values; the categories are the values in ascending order, as pandas has them.
   *
   * @param values Value of each row, null where it is missing.
   */
  static from(values: Iterable<string | null>): CategoricalColumn {
    const rows = [...values];
    const seen = [...new Set(rows)].filter((value) => value !== null);
    const categories = seen.sort(textComparer(seen));
    const codes = new Map(categories.map((category, code) => [category, code]));
    return new CategoricalColumn(
      Int32Array.from(rows, (value) => value === null ? -1 : codes.get(value)!),
      categories,
    );
  }

  /** Number of rows. */
  get length(): number {
    return this.codes.length;
  }

  /** Value of a row, null where it is missing. */
  at(row: number): string | null {
    return this.categories[this.codes[row]!] ?? null;
  }

  /** All values in order. */
  values(): Iterable<string | null> {
    return valuesOf(this);
  }

  /** The column of some rows, -1 for a missing value; categories that no row has any more are kept. */
  take(rows: RowNumbers): CategoricalColumn {
    return new CategoricalColumn(takeCodes(this.codes, rows), this.labels, {
      ordered: this.ordered,
    });
  }
}

/** A column of any kind; `kind` tells which. */
export type Column = NumericColumn | BooleanColumn | StringColumn | CategoricalColumn;

/** The class of each kind of column. */
export interface ColumnOf {
  /** Numbers. */
  numeric: NumericColumn;
  /** Truth values. */
  boolean: BooleanColumn;
  /** Texts. */
  string: StringColumn;
  /** Labels. */
  categorical: CategoricalColumn;
}

/** Whether a value is a column of any kind. */
export function isColumn(value: unknown): value is Column {
  return value instanceof NumericColumn || value instanceof BooleanColumn ||
    value instanceof StringColumn || value instanceof CategoricalColumn;
}
