/** Writing matrices, tables, columns and values in anndata's current encodings. */
import { AwkwardArray } from "./awkward.ts";
import type { Column, NumericColumn } from "./column.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { FormatError } from "./errors.ts";
import { entryOrigin, type LazyEntry } from "./lazy_map.ts";
import { isMatrix, type Matrix, scatter } from "./matrix.ts";
import { fitsFloat32, fromFloats } from "./numbers.ts";
import type {
  AttributeValue,
  Dtype,
  NumericDtype,
  RawArray,
  StorageNode,
  StorageWriter,
} from "./storage.ts";
import { isColumn, isNdArray, type NdArray, type UnsValue } from "./uns.ts";

/** Something that could not be written, and why. */
export interface NotCarried {
  /** Key in the new file. */
  readonly key: string;
  /** Why it is not there. */
  readonly reason: string;
}

/** Where elements are written to. */
export interface Target {
  /** The container. */
  readonly out: StorageWriter;
  /** What could not be written so far. */
  readonly notCarried: NotCarried[];
  /** Stops the writing. */
  readonly signal: AbortSignal | undefined;
  /** Copies a stored node; false where that is impossible, which it has noted. */
  copy(key: string, node: StorageNode): Promise<boolean>;
}

/** Elements in memory. */
type Elements = NdArray["data"] | Uint8Array;

/** Attributes that name an encoding. */
export function encoding(type: string, version: string): Record<string, AttributeValue> {
  return { "encoding-type": type, "encoding-version": version };
}

/** Lets timers and aborts happen between two pieces, as a library may never yield. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}

/** Refuses names that would be taken for a path. */
export function checkName(key: string, name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new RangeError(
      `Cannot write ${key} as a name must be neither empty nor contain "/": got ${
        JSON.stringify(name)
      }`,
    );
  }
}

/** Reads a part that is to be written; notes why where it cannot be read. */
export async function loadPart<T>(
  target: Target,
  key: string,
  entry: LazyEntry<T>,
): Promise<T | undefined> {
  try {
    return await entry.load();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    target.notCarried.push({ key, reason: error.message });
    return undefined;
  }
}

/** Writes an array with its encoding; texts and truth values have types of their own. */
export async function writeArray(
  target: Target,
  key: string,
  array: { data: Elements; shape?: readonly number[]; dtype?: Dtype },
): Promise<void> {
  const { data, shape = [data.length] } = array;
  const dtype = array.dtype ?? dtypeOfData(data);
  const elements = dtype.kind === "bool"
    ? Uint8Array.from(data as ArrayLike<number | boolean>, Number)
    : data as RawArray | string[];
  await target.out.array(key, elements, { shape, dtype });
  await target.out.attributes(key, arrayEncoding(dtype, shape.length === 0));
}

/** Attributes of an array or a scalar of a type. */
export function arrayEncoding(dtype: Dtype, scalar: boolean): Record<string, AttributeValue> {
  if (dtype.kind === "struct") return encoding("rec-array", "0.2.0");
  if (dtype.kind === "string") return encoding(scalar ? "string" : "string-array", "0.2.0");
  return encoding(scalar ? "numeric-scalar" : "array", "0.2.0");
}

/** Element type of values in memory; an empty list counts as one of texts. */
function dtypeOfData(data: Elements): Dtype {
  if (Array.isArray(data)) return { kind: typeof data[0] === "boolean" ? "bool" : "string" };
  const kind = (data as RawArray).constructor.name.replace("Array", "").replace("Big", "");
  return { kind: "numeric", name: kind.toLowerCase() as NumericDtype };
}

/** Writes values and the mask of the missing ones. */
async function writeNullable(
  target: Target,
  key: string,
  column: { type: string; data: Elements; dtype: Dtype; mask: Uint8Array },
): Promise<void> {
  await target.out.group(key, encoding(column.type, "0.1.0"));
  await writeArray(target, `${key}/values`, column);
  await writeArray(target, `${key}/mask`, { data: column.mask, dtype: { kind: "bool" } });
}

/** Writes numbers; masked floats become NaN, as anndata has no nullable floats. */
async function writeNumeric(target: Target, key: string, column: NumericColumn): Promise<void> {
  const { mask } = column;
  const name = column.dtype === "float16" ? "float32" : column.dtype;
  const dtype: Dtype = { kind: "numeric", name };
  if (mask !== undefined && !name.startsWith("float")) {
    const data = fromFloats(column.data.map((value, row) => mask[row] ? 0 : value), name);
    await writeNullable(target, key, { type: "nullable-integer", data, dtype, mask });
    return;
  }
  const values = mask === undefined
    ? column.data
    : column.data.map((value, row) => mask[row] ? NaN : value);
  await writeArray(target, key, { data: fromFloats(values, name), dtype });
}

/** Writes codes and categories; the codes are as narrow as pandas makes them. */
async function writeCategorical(
  target: Target,
  key: string,
  column: Extract<Column, { kind: "categorical" }>,
): Promise<void> {
  const count = column.categories.length;
  const Codes = count < 2 ** 7 ? Int8Array : count < 2 ** 15 ? Int16Array : Int32Array;
  await target.out.group(key, { ...encoding("categorical", "0.2.0"), ordered: column.ordered });
  await writeArray(target, `${key}/codes`, { data: Codes.from(column.codes) });
  await writeColumn(target, `${key}/categories`, column.labels);
}

/** Writes a column in memory. */
export async function writeColumn(target: Target, key: string, column: Column): Promise<void> {
  if (column.kind === "numeric") return await writeNumeric(target, key, column);
  if (column.kind === "categorical") return await writeCategorical(target, key, column);
  const { mask } = column;
  const dtype: Dtype = { kind: column.kind === "boolean" ? "bool" : "string" };
  if (mask === undefined) return await writeArray(target, key, { data: column.data, dtype });
  const type = column.kind === "boolean" ? "nullable-boolean" : "nullable-string-array";
  await writeNullable(target, key, { type, data: column.data, dtype, mask });
}

/** Writes a table; columns that are as they were read are copied. */
export async function writeFrame(target: Target, key: string, frame: DataFrame): Promise<void> {
  const indexName = frame.indexName ?? "_index";
  const names = frame.columns();
  for (const name of [indexName, ...names]) checkName(key, name);
  if (names.includes(indexName)) {
    throw new RangeError(
      `Cannot write ${key} as a column must not be called ${indexName}: the index is`,
    );
  }
  await target.out.group(key, { ...encoding("dataframe", "0.2.0"), "_index": indexName });
  await writeArray(target, `${key}/${indexName}`, { data: frame.index, dtype: { kind: "string" } });
  const written: string[] = [];
  for (const [name, entry] of columnsOf(frame).entries()) {
    target.signal?.throwIfAborted();
    const node = entryOrigin(entry);
    if (node !== undefined) {
      if (await target.copy(`${key}/${name}`, node)) written.push(name);
      continue;
    }
    if (await loadPart(target, `${key}/${name}`, entry) === undefined) continue;
    await writeColumn(target, `${key}/${name}`, await frame.column(name));
    written.push(name);
  }
  await target.out.attributes(key, { "column-order": written });
}

/** numpy's name of what a matrix is written with: truth values become bytes, half precision single. */
function writtenDtype(matrix: Matrix): NumericDtype {
  if (matrix.dtype === "bool") return "uint8";
  return matrix.dtype === "float16" ? "float32" : matrix.dtype as NumericDtype;
}

/** Streams a sparse matrix. */
async function writeSparse(target: Target, key: string, matrix: Matrix): Promise<void> {
  const dtype = writtenDtype(matrix);
  await target.out.group(key, { ...encoding("csr_matrix", "0.1.0"), shape: [...matrix.shape] });
  const data = target.out.stream(`${key}/data`, dtype);
  const indices = target.out.stream(`${key}/indices`, "int32");
  const bounds = new Float64Array(matrix.shape[0] + 1);
  for await (const piece of matrix.rows()) {
    await breathe(target.signal);
    await data.append(fromFloats(piece.data, dtype));
    await indices.append(piece.indices);
    const first = bounds[piece.start]!;
    for (let row = 1; row <= piece.nRows; row++) {
      bounds[piece.start + row] = first + piece.indptr[row]!;
    }
  }
  await indices.finish();
  const count = await data.finish();
  const name = count < 2 ** 31 ? "int32" : "int64";
  const indptr = fromFloats(bounds, name);
  await target.out.array(`${key}/indptr`, indptr, {
    shape: [bounds.length],
    dtype: { kind: "numeric", name },
  });
}

/** Streams a dense matrix. */
async function writeDense(target: Target, key: string, matrix: Matrix): Promise<void> {
  const dtype = writtenDtype(matrix);
  const stream = target.out.stream(key, dtype, [matrix.shape[1]]);
  const Values = fitsFloat32(dtype) ? Float32Array : Float64Array;
  for await (const piece of matrix.rows()) {
    await breathe(target.signal);
    const values = new Values(piece.nRows * piece.nCols);
    scatter(piece, values);
    await stream.append(fromFloats(values, dtype));
  }
  await stream.finish();
  await target.out.attributes(key, encoding("array", "0.2.0"));
}

/** Truth values that are written as such; more of them are streamed as bytes. */
const MOST_TRUTHS = 1 << 26;

/** Writes a matrix: dense as dense, any sparse format as CSR. */
export async function writeMatrix(target: Target, key: string, matrix: Matrix): Promise<void> {
  const empty = matrix.shape[0] === 0 || matrix.shape[1] === 0;
  if (matrix.format !== "dense") return await writeSparse(target, key, matrix);
  if (matrix.dtype === "bool" && matrix.shape[0] * matrix.shape[1] <= MOST_TRUTHS) {
    const data = Uint8Array.from(await matrix.dense());
    return await writeArray(target, key, { data, shape: matrix.shape, dtype: { kind: "bool" } });
  }
  if (!empty) return await writeDense(target, key, matrix);
  await writeArray(target, key, {
    data: fromFloats(new Float64Array(0), writtenDtype(matrix)),
    shape: matrix.shape,
  });
}

/** Writes Python's None: a scalar whose encoding says that its value means nothing. */
export async function writeNull(target: Target, key: string): Promise<void> {
  const dtype: Dtype = { kind: "numeric", name: "int8" };
  await target.out.array(key, Int8Array.of(0), { shape: [], dtype });
  await target.out.attributes(key, encoding("null", "0.1.0"));
}

/** Writes a scalar. */
async function writeScalar(
  target: Target,
  key: string,
  value: string | number | bigint | boolean,
): Promise<void> {
  if (typeof value === "string") {
    return await writeArray(target, key, { data: [value], shape: [], dtype: { kind: "string" } });
  }
  if (typeof value === "boolean") {
    return await writeArray(target, key, { data: [value], shape: [], dtype: { kind: "bool" } });
  }
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  const data = whole ? BigInt64Array.of(BigInt(value)) : Float64Array.of(Number(value));
  await writeArray(target, key, { data, shape: [] });
}

/** Writes lists of any length. */
export async function writeAwkward(
  target: Target,
  key: string,
  array: AwkwardArray,
): Promise<void> {
  const form = JSON.stringify(array.form);
  await target.out.group(key, {
    ...encoding("awkward-array", "0.1.0"),
    form,
    length: array.length,
  });
  for (const [name, data] of array.buffers) await writeArray(target, `${key}/${name}`, { data });
}

/** Writes an unstructured value; whole numbers become int64. */
export async function writeValue(target: Target, key: string, value: UnsValue): Promise<void> {
  if (value === null) {
    await writeNull(target, key);
  } else if (typeof value !== "object") {
    await writeScalar(target, key, value);
  } else if (isMatrix(value)) {
    await writeMatrix(target, key, value);
  } else if (value instanceof DataFrame) {
    await writeFrame(target, key, value);
  } else if (value instanceof AwkwardArray) {
    await writeAwkward(target, key, value);
  } else if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    await writeArray(target, key, { data: value as NdArray["data"] });
  } else if (isColumn(value)) {
    await writeColumn(target, key, value);
  } else if (isNdArray(value)) {
    await writeArray(target, key, value);
  } else {
    await target.out.group(key, encoding("dict", "0.1.0"));
    for (const [name, child] of Object.entries(value as Record<string, UnsValue>)) {
      checkName(key, name);
      await writeValue(target, `${key}/${name}`, child);
    }
  }
}
