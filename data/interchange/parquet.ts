/**
 * Frames as Parquet files.
 *
 * @module
 */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { checkOptions } from "../checks.ts";
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import type { DataFrame } from "../dataframe.ts";
import { FormatError } from "../errors.ts";
import { factorize } from "../frame/factorize.ts";
import { fromFloats } from "../numbers.ts";
import { type ByteSource, openSource } from "../source.ts";
import type { NumericDtype } from "../storage.ts";
import { frameFrom, readColumns } from "./frame_parts.ts";
import { indexField, pandasNote, readPandasNote } from "./pandas_metadata.ts";

/** Key under which the categories of labels are kept, as Parquet has none. */
const CATEGORIES = "scgpt:categories";

/** How a Parquet file is read. */
export interface ReadParquetOptions {
  /** Columns to read; all unless told. */
  readonly columns?: readonly string[];
}

/** What is kept of the categories of a column. */
interface KeptCategories {
  readonly categories: readonly string[];
  readonly ordered: boolean;
  /** Element type of numbers; absent where the categories are texts. */
  readonly dtype?: NumericDtype | "boolean";
}

type SchemaType = Pick<SchemaElement, "type" | "converted_type">;

const TYPES: Readonly<Record<NumericDtype, SchemaType>> = {
  int8: { type: "INT32", converted_type: "INT_8" },
  int16: { type: "INT32", converted_type: "INT_16" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  uint8: { type: "INT32", converted_type: "UINT_8" },
  uint16: { type: "INT32", converted_type: "UINT_16" },
  uint32: { type: "INT32", converted_type: "UINT_32" },
  uint64: { type: "INT64", converted_type: "UINT_64" },
  // Halves are written as singles, which hold all of them.
  float16: { type: "FLOAT" },
  float32: { type: "FLOAT" },
  float64: { type: "DOUBLE" },
};

const TEXT: SchemaType = { type: "BYTE_ARRAY", converted_type: "UTF8" };

/** A column as it is stored: labels as what their categories are. */
function storedColumn(column: Column): Column {
  return column.kind === "categorical" ? column.labels.take(column.codes) : column;
}

/** Parquet's type of a column. */
function schemaType(column: Column): SchemaType {
  if (column.kind === "numeric") return TYPES[column.dtype];
  return column.kind === "boolean" ? { type: "BOOLEAN" } : TEXT;
}

/** Numbers as the library takes them for a type of Parquet. */
function writtenNumbers(data: NumericColumn["data"], dtype: NumericDtype): ColumnSource["data"] {
  const values = fromFloats(data, dtype);
  if (values instanceof BigUint64Array || values instanceof Uint32Array) return [...values];
  const small = values.BYTES_PER_ELEMENT < 4;
  return small ? Int32Array.from(values as Int8Array) : values as Int32Array;
}

/** Values as the library takes them: whole arrays where none is missing. */
function writtenValues(column: Column): ColumnSource["data"] {
  if (column.kind !== "numeric") return [...column.values()];
  const { data, dtype, mask } = column;
  if (mask === undefined) return writtenNumbers(data, dtype);
  const values = writtenNumbers(data.map((x, row) => mask[row] ? 0 : x) as typeof data, dtype);
  return Array.from(values as ArrayLike<unknown>, (value, row) => mask[row] ? null : value);
}

function keptCategories(column: CategoricalColumn): KeptCategories {
  const { labels, categories, ordered } = column;
  const dtype = labels.kind === "numeric"
    ? labels.dtype
    : labels.kind === "boolean"
    ? "boolean"
    : undefined;
  return { categories, ordered, ...dtype !== undefined && { dtype } };
}

/**
 * A frame as the bytes of a Parquet file, compressed with snappy. Labels are stored as their texts, with categories and order
 * in a note of ours beside; pandas' own note says where the index is.
 *
 * @param frame The frame; all columns are read.
 * @throws {RangeError} Where an integer type does not hold a value.
 *
 * @example There and back
 * ```ts
 * import assert from "node:assert/strict";
 * import { CategoricalColumn, DataFrame } from "@scgpt/sdk/data";
 * import { fromParquet, toParquet } from "@scgpt/sdk/data/parquet";
 *
 * const frame = new DataFrame({ index: ["a", "b"] })
 *   .with("label", CategoricalColumn.from(["T", null]))
 *   .with("n_genes", Int32Array.of(3, 4));
 * const copy = await fromParquet(await toParquet(frame));
 * assert.deepEqual(await copy.toRecords({ index: "cell" }), [
 *   { cell: "a", label: "T", n_genes: 3 },
 *   { cell: "b", label: null, n_genes: 4 },
 * ]);
 * ```
 */
export async function toParquet(frame: DataFrame): Promise<Uint8Array<ArrayBuffer>> {
  const columns = await readColumns(frame);
  const index = [indexField(frame.indexName), new StringColumn(frame.index)] as const;
  const all = [...columns.map(([name, column]) => [name, storedColumn(column)] as const), index];
  const labels = columns.flatMap(([name, column]) =>
    column.kind === "categorical" ? [[name, keptCategories(column)] as const] : []
  );
  return new Uint8Array(parquetWriteBuffer({
    schema: [
      { name: "schema", num_children: all.length },
      ...all.map(([name, column]): SchemaElement => ({
        name,
        ...schemaType(column),
        repetition_type: column.kind !== "categorical" && column.mask ? "OPTIONAL" : "REQUIRED",
      })),
    ],
    columnData: all.map(([name, column]) => ({ name, data: writtenValues(column) })),
    kvMetadata: [
      { key: "pandas", value: pandasNote(columns, frame.indexName) },
      { key: CATEGORIES, value: JSON.stringify(Object.fromEntries(labels)) },
    ],
  }));
}

/** A source as the library reads it. */
function bufferOf(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.size,
    slice: async (start, end = source.size) => {
      const bytes = await source.read(start, end - start);
      return bytes.buffer.slice(
        bytes.byteOffset,
        bytes.byteOffset + bytes.byteLength,
      ) as ArrayBuffer;
    },
  };
}

/** Element type of a stored column; undefined where it holds no numbers. */
function storedNumber(element: SchemaElement): NumericDtype | undefined {
  const { type, converted_type, logical_type } = element;
  if (logical_type?.type === "FLOAT16") return "float16";
  if (type === "FLOAT") return "float32";
  if (type === "DOUBLE") return "float64";
  if (type !== "INT32" && type !== "INT64") return undefined;
  const other = logical_type !== undefined && logical_type.type !== "INTEGER";
  const whole = /^(U?)INT_(\d+)$/.exec(converted_type ?? type.replace("T", "T_"));
  return other || whole === null
    ? undefined
    : `${whole[1]!.toLowerCase()}int${whole[2]}` as NumericDtype;
}

/** Numbers of a column, exact or refused. */
function numberColumn(
  values: readonly unknown[],
  dtype: NumericDtype,
  place: { file: string; key: string },
): Column {
  const narrow = dtype === "float32" || dtype === "float16" || /^u?int(8|16)$/.test(dtype);
  const data = narrow ? new Float32Array(values.length) : new Float64Array(values.length);
  let mask: Uint8Array | undefined;
  for (const [row, value] of values.entries()) {
    if (value === null || value === undefined) (mask ??= new Uint8Array(values.length))[row] = 1;
    else data[row] = Number(value);
    if (typeof value === "bigint" && !Number.isSafeInteger(data[row])) {
      throw new FormatError(
        "value",
        `Cannot read row ${row} as a number as integers must be within 2^53: got ${value}`,
        place,
      );
    }
  }
  return new NumericColumn(data, { dtype, ...mask && { mask } });
}

/** Rows without a value. */
function nullRows(values: readonly unknown[]): { mask?: Uint8Array } {
  const mask = Uint8Array.from(values, (value) => value === null || value === undefined ? 1 : 0);
  return mask.includes(1) ? { mask } : {};
}

/** Labels with the categories that were kept. */
function labelColumn(
  values: readonly unknown[],
  kept: KeptCategories,
  place: { file: string; key: string },
): Column {
  const { categories, ordered, dtype } = kept;
  const places = new Map(categories.map((category, code) => [category, code]));
  const codes = Int32Array.from(values, (value, row) => {
    const code = value === null || value === undefined ? -1 : places.get(String(value));
    if (code !== undefined) return code;
    throw new FormatError(
      "value",
      `Cannot read row ${row} as a label as it must be one of the categories: got ${value}`,
      place,
    );
  });
  const labels = dtype === undefined
    ? new StringColumn(categories)
    : dtype === "boolean"
    ? new BooleanColumn(categories.map((category) => category === "true"))
    : new NumericColumn(Float64Array.from(categories, Number), { dtype });
  return new CategoricalColumn(codes, labels, { ordered });
}

/** What is known of a column before its values are read. */
interface StoredColumn {
  readonly element: SchemaElement;
  readonly label: boolean;
  readonly kept: KeptCategories | undefined;
  readonly file: string;
}

/** A column of the values that were read. */
function columnOf(values: readonly unknown[], stored: StoredColumn): Column {
  const { element, label, kept, file } = stored;
  const place = { file, key: element.name };
  if (kept !== undefined) return labelColumn(values, kept, place);
  if (label) { // of another writer: in ascending order
    const { codes, levels } = factorize(columnOf(values, { ...stored, label: false }));
    return new CategoricalColumn(codes, levels as StringColumn);
  }
  const dtype = storedNumber(element);
  if (dtype !== undefined) return numberColumn(values, dtype, place);
  if (element.type === "BOOLEAN") {
    return new BooleanColumn(Uint8Array.from(values, (value) => value ? 1 : 0), nullRows(values));
  }
  const text = element.type === "BYTE_ARRAY" &&
    (element.converted_type === "UTF8" || element.logical_type?.type === "STRING");
  if (text) {
    return new StringColumn(values.map((value) => (value ?? "") as string), nullRows(values));
  }
  throw new FormatError(
    "encoding",
    `Cannot read a column as it must hold numbers, truth values or texts: it is ${
      element.converted_type ?? element.logical_type?.type ?? element.type
    }`,
    place,
  );
}

/** The notes of a file by key. */
function notesOf({ key_value_metadata = [] }: FileMetaData): ReadonlyMap<string, string> {
  return new Map(
    key_value_metadata.flatMap(({ key, value }) => value === undefined ? [] : [[key, value]]),
  );
}

/**
 * Reads a Parquet file, whatever it is compressed with.
 *
 * @param from A path (on a server), an http(s) address that honours ranges, a Blob, or bytes.
 * @param options Which columns are read.
 * @returns The frame, in memory; pandas' note says which column is the index and which are labels.
 * @throws {RangeError} Where there is no such column.
 * @throws {FormatError} "encoding" where a column holds what a frame cannot, such as times or lists; name the others then.
 */
export async function fromParquet(
  from: string | URL | Blob | Uint8Array,
  options: ReadParquetOptions = {},
): Promise<DataFrame> {
  checkOptions("read a Parquet file", options, ["columns"]);
  using source = await openSource(from);
  const file = bufferOf(source);
  const metadata = await parquetMetadataAsync(file);
  const notes = notesOf(metadata);
  const note = readPandasNote(notes.get("pandas"));
  const kept = JSON.parse(notes.get(CATEGORIES) ?? "{}") as Record<string, KeptCategories>;
  const elements = metadata.schema.slice(1);
  const wanted = options.columns &&
    [...options.columns, ...note.index === undefined ? [] : [note.index]];
  const chosen = elements.filter(({ name }) => wanted?.includes(name) ?? true);
  const missing = wanted?.find((name) => !elements.some((element) => element.name === name));
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot read the column ${
        JSON.stringify(missing)
      } of ${source.name} as there is none: available: ${
        elements.map(({ name }) => name).join(", ")
      }`,
    );
  }
  const values = await readValues(file, metadata, chosen.map(({ name }) => name));
  const columns = chosen.map((element) => {
    const label = note.categorical.has(element.name);
    const stored = { element, label, kept: kept[element.name], file: source.name };
    return [element.name, columnOf(values.get(element.name)!, stored)] as const;
  });
  return frameFrom(new Map(columns), Number(metadata.num_rows), note);
}

/** Reads whole columns. */
async function readValues(
  file: AsyncBuffer,
  metadata: FileMetaData,
  names: readonly string[],
): Promise<Map<string, unknown[]>> {
  const length = Number(metadata.num_rows);
  const values = new Map(names.map((name) => [name, new Array<unknown>(length)]));
  await parquetRead({
    file,
    metadata,
    columns: [...names],
    compressors,
    onChunk: ({ columnName, columnData, rowStart }) => {
      const target = values.get(columnName)!;
      for (let row = 0; row < columnData.length; row++) target[rowStart + row] = columnData[row];
    },
  });
  return values;
}
