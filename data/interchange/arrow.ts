/**
 * Frames as Apache Arrow tables, in memory and as IPC bytes.
 *
 * @module
 */
import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  type Vector,
} from "apache-arrow";
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import type { DataFrame } from "../dataframe.ts";
import { stackColumns } from "../frame/concat.ts";
import { fromFloats, toFloats } from "../numbers.ts";
import type { NumericDtype, RawArray } from "../storage.ts";
import { frameFrom, readColumns } from "./frame_parts.ts";
import { indexField, pandasNote, readPandasNote } from "./pandas_metadata.ts";

const NUMBERS = {
  int8: Int8,
  int16: Int16,
  int32: Int32,
  int64: Int64,
  uint8: Uint8,
  uint16: Uint16,
  uint32: Uint32,
  uint64: Uint64,
  // Halves are written as singles, which hold all of them.
  float16: Float32,
  float32: Float32,
  float64: Float64,
} as const;

/** Bits of a mask, least significant first, 1 where it says 0. */
function validity(mask: ArrayLike<number> | undefined): {
  nullBitmap?: Uint8Array<ArrayBuffer>;
  nullCount: number;
} {
  if (mask === undefined) return { nullCount: 0 };
  const nullBitmap = new Uint8Array(Math.ceil(mask.length / 8));
  let nullCount = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row]) nullCount++;
    else nullBitmap[row >> 3]! |= 1 << (row & 7);
  }
  return { nullBitmap, nullCount };
}

/** Truth values as bits, least significant first. */
function bits(values: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(Math.ceil(values.length / 8));
  for (let row = 0; row < values.length; row++) {
    if (values[row]) packed[row >> 3]! |= 1 << (row & 7);
  }
  return packed;
}

/** Texts as bytes one after the other. */
function textData(texts: readonly string[], mask?: Uint8Array): Data<Utf8> {
  const encoder = new TextEncoder();
  const valueOffsets = new Int32Array(texts.length + 1);
  const parts = texts.map((text, row) => {
    const bytes = encoder.encode(text);
    valueOffsets[row + 1] = valueOffsets[row]! + bytes.length;
    return bytes;
  });
  const data = new Uint8Array(valueOffsets[texts.length]!);
  parts.forEach((bytes, row) => data.set(bytes, valueOffsets[row]));
  return makeData({
    type: new Utf8(),
    length: texts.length,
    valueOffsets,
    data,
    ...validity(mask),
  });
}

/** A numeric column in its own element type. */
function numberData({ data, dtype, mask }: NumericColumn): Data {
  const values = mask ? data.map((value, row) => mask[row] ? 0 : value) as typeof data : data;
  const type = new NUMBERS[dtype]();
  return makeData(
    {
      type,
      length: data.length,
      data: fromFloats(values, dtype),
      ...validity(mask),
    } as Parameters<typeof makeData>[0],
  ) as Data;
}

/** A column as Arrow's buffers. */
function dataOf(column: Column): Data {
  if (column.kind === "numeric") return numberData(column);
  if (column.kind === "string") return textData(column.data, column.mask);
  const { length } = column;
  if (column.kind === "boolean") {
    const data = bits(column.data);
    return makeData({ type: new Bool(), length, data, ...validity(column.mask) });
  }
  const missing = column.codes.some((code) => code < 0)
    ? Uint8Array.from(column.codes, (code) => code < 0 ? 1 : 0)
    : undefined;
  const dictionary = makeVector(dataOf(column.labels));
  return makeData({
    type: new Dictionary(dictionary.type, new Int32(), null, column.ordered),
    length,
    data: column.codes.map((code) => Math.max(0, code)),
    dictionary,
    ...validity(missing),
  });
}

/**
 * A frame as an Arrow table: labels as dictionaries with their order, masked values as nulls, the index as the column that
 * pandas would store it in. float16 becomes float32.
 *
 * @param frame The frame; all columns are read.
 * @throws {RangeError} Where an integer type does not hold a value.
 *
 * @example There and back
 * ```ts
 * import assert from "node:assert/strict";
 * import { CategoricalColumn, DataFrame } from "@scgpt/sdk/data";
 * import { fromArrow, toArrow } from "@scgpt/sdk/data/arrow";
 *
 * const frame = new DataFrame({ index: ["a", "b"] })
 *   .with("label", CategoricalColumn.from(["T", null]));
 * const table = await toArrow(frame);
 * assert.deepEqual([table.numRows, table.getChild("label")!.get(1)], [2, null]);
 * assert.deepEqual(fromArrow(table).index, ["a", "b"]);
 * ```
 */
export async function toArrow(frame: DataFrame): Promise<Table> {
  const columns = await readColumns(frame);
  const all = [
    ...columns.map(([name, column]) => [name, dataOf(column)] as const),
    [indexField(frame.indexName), textData(frame.index)] as const,
  ];
  const fields = all.map(([name, { type, nullCount }]) => new Field(name, type, nullCount > 0));
  const note = new Map([["pandas", pandasNote(columns, frame.indexName)]]);
  const struct = makeData({
    type: new Struct(fields),
    length: frame.length,
    nullCount: 0,
    children: all.map(([, data]) => data),
  });
  const schema = new Schema(fields, note);
  return new Table(schema, new RecordBatch(schema, struct));
}

/** Rows of a vector that are null, 1 for each; undefined where none is. */
function nullRows(vector: Vector): { mask?: Uint8Array } {
  if (vector.nullCount === 0) return {};
  return {
    mask: Uint8Array.from({ length: vector.length }, (_, row) => vector.isValid(row) ? 0 : 1),
  };
}

/** Element type of Arrow's numbers; undefined where they are none. */
function numberName(type: DataType): NumericDtype | undefined {
  const name = String(type).toLowerCase();
  return name in NUMBERS ? name as NumericDtype : undefined;
}

/** Labels of a vector; parts of it may have dictionaries of their own. */
function labelColumn(vector: Vector<Dictionary>, name: string): Column {
  const parts = vector.data.map((data) => {
    const part = makeVector(data);
    const { mask } = nullRows(part);
    const codes = Int32Array.from(
      { length: part.length },
      (_, row) => mask?.[row] ? -1 : Number(data.values[row]),
    );
    const labels = columnOf(data.dictionary!, name) as StringColumn;
    const column = new CategoricalColumn(codes, labels, { ordered: vector.type.isOrdered });
    return { column, length: part.length };
  });
  if (parts.length === 1) return parts[0]!.column;
  if (parts.length === 0) return new CategoricalColumn(new Int32Array(0), []);
  return stackColumns(parts);
}

/** A column of an Arrow vector. */
function columnOf(vector: Vector, name: string): Column {
  const type: DataType = vector.type;
  const dtype = numberName(type);
  const nulls = nullRows(vector);
  if (dtype !== undefined) {
    const raw = type instanceof Float16
      ? Float32Array.from(vector, Number)
      : vector.toArray() as RawArray;
    const data = toFloats(raw.slice() as RawArray, { file: "Arrow table", key: name });
    return new NumericColumn(data, { dtype, ...nulls });
  }
  const kind = String(type);
  if (kind === "Bool") {
    return new BooleanColumn(Uint8Array.from(vector, (value) => value ? 1 : 0), nulls);
  }
  if (kind === "Utf8" || kind === "LargeUtf8") {
    return new StringColumn(Array.from(vector, (value) => value ?? ""), nulls);
  }
  if (type instanceof Dictionary) return labelColumn(vector as Vector<Dictionary>, name);
  throw new TypeError(
    `Cannot read the column ${
      JSON.stringify(name)
    } of an Arrow table as it must hold numbers, truth values, texts or labels: it holds ${kind}`,
  );
}

/**
 * A frame of an Arrow table: dictionaries become labels, nulls masked values, and the index is found where pandas stores it.
 *
 * @param table The table.
 * @throws {TypeError} Where a column holds what a frame cannot, such as times or lists; select the others first.
 * @throws {FormatError} "value" where a 64-bit integer is beyond 2^53.
 */
export function fromArrow(table: Table): DataFrame {
  const columns = table.schema.fields.map(({ name }, k) =>
    [name, columnOf(table.getChildAt(k)!, name)] as const
  );
  const note = readPandasNote(table.schema.metadata.get("pandas"));
  return frameFrom(new Map(columns), table.numRows, note);
}

/** A frame as an Arrow IPC file, which pyarrow, polars, R's arrow and DuckDB open. */
export async function writeArrow(frame: DataFrame): Promise<Uint8Array> {
  return tableToIPC(await toArrow(frame), "file");
}

/** The frame of an Arrow IPC file or stream; see {@linkcode fromArrow}. */
export function readArrow(bytes: Uint8Array): DataFrame {
  return fromArrow(tableFromIPC(bytes));
}
