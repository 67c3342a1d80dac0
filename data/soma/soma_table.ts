/** Tables that reading gives: typed columns in memory. */
import { describeNames } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { RawArray } from "../storage.ts";
import { corrupt, type Place } from "./bytes.ts";
import { cellCount, type Cells } from "./cells.ts";
import type { Datatype } from "./datatype.ts";
import type { Enumeration } from "./enumeration.ts";

/** Numbers. */
export interface SomaNumericColumn {
  /** Tells the kinds apart. */
  readonly kind: "numeric";
  /** Element type as stored: "int64", "float32", "datetime_ms". */
  readonly type: string;
  /** The values; integers of 64 bits as Float64Array, which holds them exactly, or as they are where that was asked for. */
  readonly data: RawArray;
  /** 1 where a value is missing; undefined where none may be. */
  readonly mask: Uint8Array | undefined;
}

/** Truth values. */
export interface SomaBooleanColumn {
  /** Tells the kinds apart. */
  readonly kind: "boolean";
  /** 0 or 1. */
  readonly data: Uint8Array;
  /** 1 where a value is missing; undefined where none may be. */
  readonly mask: Uint8Array | undefined;
}

/** Texts. */
export interface SomaStringColumn {
  /** Tells the kinds apart. */
  readonly kind: "string";
  /** The texts; empty where one is missing. */
  readonly data: readonly string[];
  /** 1 where a value is missing; undefined where none may be. */
  readonly mask: Uint8Array | undefined;
}

/** Byte strings. */
export interface SomaBytesColumn {
  /** Tells the kinds apart. */
  readonly kind: "bytes";
  /** The values; empty where one is missing. */
  readonly data: readonly Uint8Array[];
  /** 1 where a value is missing; undefined where none may be. */
  readonly mask: Uint8Array | undefined;
}

/** Values out of an enumeration. */
export interface SomaCategoricalColumn {
  /** Tells the kinds apart. */
  readonly kind: "categorical";
  /** Place of each row's value in `categories`; -1 where it is missing. */
  readonly codes: Int32Array;
  /** The values of the enumeration. */
  readonly categories: Enumeration["values"];
  /** Whether their order means something. */
  readonly ordered: boolean;
}

/** A column; `kind` tells which. */
export type SomaColumn =
  | SomaNumericColumn
  | SomaBooleanColumn
  | SomaStringColumn
  | SomaBytesColumn
  | SomaCategoricalColumn;

/** The type of each kind of column. */
export interface SomaColumnOf {
  /** Numbers. */
  numeric: SomaNumericColumn;
  /** Truth values. */
  boolean: SomaBooleanColumn;
  /** Texts. */
  string: SomaStringColumn;
  /** Byte strings. */
  bytes: SomaBytesColumn;
  /** Values out of an enumeration. */
  categorical: SomaCategoricalColumn;
}

/** How integers of 64 bits come: as numbers, which is an error beyond 2^53, or as bigint. */
export type Int64Form = "number" | "bigint";

/** Rows of a SOMA array. */
export class SomaTable {
  /** Number of rows. */
  readonly length: number;
  readonly #columns: ReadonlyMap<string, SomaColumn>;

  /** Makes a table of columns of `length` rows. */
  constructor(length: number, columns: ReadonlyMap<string, SomaColumn>) {
    this.length = length;
    this.#columns = columns;
  }

  /** Names of the columns in order. */
  columns(): readonly string[] {
    return [...this.#columns.keys()];
  }

  /**
   * A column of a kind.
   *
   * @param name Name of the column.
   * @param kind The kind it must have.
   * @throws {RangeError} Where there is no such column.
   * @throws {TypeError} Where it is of another kind.
   */
  column<K extends keyof SomaColumnOf>(name: string, kind: K): SomaColumnOf[K];
  /** A column of any kind. */
  column(name: string): SomaColumn;
  column(name: string, kind?: keyof SomaColumnOf): SomaColumn {
    const column = this.#columns.get(name);
    if (column === undefined) {
      throw new RangeError(
        `Cannot take the column ${JSON.stringify(name)} as there is none: ${
          describeNames(name, this.columns())
        }`,
      );
    }
    if (kind !== undefined && column.kind !== kind) {
      throw new TypeError(
        `Cannot take the column ${JSON.stringify(name)} as ${kind}: it is ${column.kind}`,
      );
    }
    return column;
  }

  /** Value of a row of a column; null where it is missing. */
  at(name: string, row: number): string | number | bigint | boolean | Uint8Array | null {
    const column = this.column(name);
    if (column.kind === "categorical") return column.categories[column.codes[row]!] ?? null;
    if (column.mask?.[row]) return null;
    const value = column.data[row]!;
    return column.kind === "boolean" ? value === 1 : value;
  }
}

/** What turning cells into a column has to know. */
export interface ColumnContext {
  /** The enumeration that integers are places in. */
  readonly enumeration?: Enumeration | undefined;
  /** How integers of 64 bits come. */
  readonly int64: Int64Form;
  /** Where the column is, for messages. */
  readonly place: Place;
}

/** Makes a column of cells. */
export function columnOf(cells: Cells, context: ColumnContext): SomaColumn {
  const mask = maskOf(cells.valid);
  const { type } = cells;
  if (context.enumeration !== undefined) {
    return categorical(cells, context.enumeration, context.place);
  }
  if (type.kind === "bool") {
    return {
      kind: "boolean",
      data: (cells as Extract<Cells, { kind: "fixed" }>).data as Uint8Array,
      mask,
    };
  }
  if (type.kind === "text") return { kind: "string", data: textsOf(cells, context.place), mask };
  if (type.kind === "bytes") return { kind: "bytes", data: byteCells(cells), mask };
  if (cells.kind === "variable" || cells.cellLength !== 1) throw lists(type, context.place);
  return { kind: "numeric", type: type.name, data: numbersOf(cells, context), mask };
}

function lists(type: Datatype, place: Place): FormatError {
  return new FormatError(
    "encoding",
    `Cannot read a column as its cells must be single values: they are lists of ${type.name}`,
    place,
  );
}

function maskOf(valid: Uint8Array | undefined): Uint8Array | undefined {
  return valid?.map((there) => there === 0 ? 1 : 0);
}

const WORD = 2 ** 32;

function numbersOf(
  cells: Extract<Cells, { kind: "fixed" }>,
  { int64, place }: ColumnContext,
): SomaNumericColumn["data"] {
  const { data } = cells;
  if (int64 === "bigint" || !(data instanceof BigInt64Array || data instanceof BigUint64Array)) {
    return data;
  }
  // The numbers take the place of the integers.
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const high = data instanceof BigInt64Array
    ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length)
    : low;
  const numbers = new Float64Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < numbers.length; i++) {
    const top = high[2 * i + 1]!;
    if ((top > 0x1fffff || top < -0x200000) && cells.valid?.[i] !== 0) {
      throw corrupt(
        `Cannot read row ${i} as a number as integers must be within 2^53: got ${
          data[i]
        }; ask for bigint`,
        place,
      );
    }
    numbers[i] = top * WORD + low[2 * i]!;
  }
  return numbers;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function textsOf(cells: Cells, place: Place): string[] {
  const { bytes, starts } = boundsOf(cells);
  const texts = new Array<string>(cellCount(cells));
  try {
    const whole = isAscii(bytes) ? utf8.decode(bytes) : undefined;
    for (let i = 0; i < texts.length; i++) {
      const [start, end] = [starts[i]!, starts[i + 1]!];
      texts[i] = whole?.slice(start, end) ?? utf8.decode(bytes.subarray(start, end));
    }
  } catch (cause) {
    throw corrupt("Cannot read texts as they must be UTF-8", { ...place, cause });
  }
  return texts;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 127) return false;
  return true;
}

function byteCells(cells: Cells): Uint8Array[] {
  const { bytes, starts } = boundsOf(cells);
  return Array.from(
    { length: cellCount(cells) },
    (_, i) => bytes.slice(starts[i]!, starts[i + 1]!),
  );
}

/** The bytes of cells, and where each starts. */
function boundsOf(cells: Cells): { readonly bytes: Uint8Array; readonly starts: Float64Array } {
  if (cells.kind === "variable") return cells;
  const { data, cellLength } = cells;
  const size = data.BYTES_PER_ELEMENT * cellLength;
  return {
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    starts: Float64Array.from({ length: cellCount(cells) + 1 }, (_, i) => i * size),
  };
}

function categorical(cells: Cells, enumeration: Enumeration, place: Place): SomaCategoricalColumn {
  if (cells.kind !== "fixed" || cells.cellLength !== 1) throw lists(cells.type, place);
  const { values, ordered } = enumeration;
  const codes = new Int32Array(cells.data.length);
  for (let i = 0; i < codes.length; i++) {
    if (cells.valid?.[i] === 0) {
      codes[i] = -1;
      continue;
    }
    const code = Number(cells.data[i]!);
    if (code < 0 || code >= values.length) {
      throw corrupt(
        `Cannot read row ${i} as codes must be below ${values.length}: got ${code}`,
        place,
      );
    }
    codes[i] = code;
  }
  return { kind: "categorical", codes, categories: values, ordered };
}

/** One table after the other; their columns are the same. */
export function joinTables(tables: readonly SomaTable[]): SomaTable {
  const [first] = tables;
  if (first === undefined) return new SomaTable(0, new Map());
  if (tables.length === 1) return first;
  const length = tables.reduce((sum, table) => sum + table.length, 0);
  return new SomaTable(
    length,
    new Map(first.columns().map((name) => [name, joinColumns(tables, name)])),
  );
}

function joinColumns(tables: readonly SomaTable[], name: string): SomaColumn {
  const columns = tables.map((table) => table.column(name));
  const [first] = columns as [SomaColumn];
  if (first.kind === "categorical") {
    const codes = joinArrays(columns.map((column) => (column as SomaCategoricalColumn).codes));
    return { ...first, codes };
  }
  const values = columns as Exclude<SomaColumn, SomaCategoricalColumn>[];
  const mask = first.mask && joinArrays(values.map((column) => column.mask!));
  if (first.kind === "string" || first.kind === "bytes") {
    return {
      ...first,
      data: values.flatMap((column) => column.data as string[]),
      mask,
    } as SomaColumn;
  }
  const data = joinArrays(values.map((column) => column.data as Uint8Array));
  return { ...first, data, mask } as SomaColumn;
}

function joinArrays<T extends Int32Array | Uint8Array>(arrays: readonly T[]): T {
  const Class = arrays[0]!.constructor as new (length: number) => T;
  const whole = new Class(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
