/** Unstructured values of anndata's encodings. */
import { AwkwardArray, type AwkwardForm } from "./awkward.ts";
import type { Read, Reader } from "./encoding_roles.ts";
import { FormatError } from "./errors.ts";
import { safeIntegers } from "./numbers.ts";
import type { ArrayData, Dtype, RawArray, StorageArray, StorageGroup } from "./storage.ts";
import { childArray, readNumbers } from "./stored_arrays.ts";
import { asRecords, type UnsDict, type UnsValue } from "./uns.ts";

/** 64-bit integers in the narrowest type of whole or exact numbers that holds them all. */
function plainNumbers(raw: RawArray, place: StorageArray): RawArray {
  if (!(raw instanceof BigInt64Array || raw instanceof BigUint64Array)) return raw;
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  if (raw.some((value) => value > limit || value < -limit)) return raw;
  const numbers = safeIntegers(raw, place);
  return numbers.every((value) => (value | 0) === value) ? Int32Array.from(numbers) : numbers;
}

/** Elements as JavaScript has them: a scalar, an array of one axis, or an array with its shape. */
function plainValue(
  data: ArrayData,
  options: { dtype: Dtype; shape: readonly number[]; place: StorageArray },
): UnsValue {
  const { dtype, shape, place } = options;
  if (dtype.kind === "struct") {
    const fields = (data as { fields: Map<string, ArrayData> }).fields;
    return asRecords(Object.fromEntries(dtype.fields.map((field) => [
      field.name,
      plainValue(fields.get(field.name)!, {
        dtype: field.dtype,
        shape: [...shape, ...field.shape],
        place,
      }),
    ])));
  }
  const values = dtype.kind === "bool"
    ? Array.from(data as Uint8Array, (value) => value === 1)
    : dtype.kind === "string"
    ? data as string[]
    : plainNumbers(data as RawArray, place);
  if (shape.length === 0) return values[0]!;
  return shape.length === 1 ? values : { shape, data: values };
}

/** Reads a scalar or an array of any number of axes. */
export const readArrayValue: Reader<UnsValue> = async (node) => {
  const array = node as StorageArray;
  if (array.shape === null) return null;
  const { dtype, shape } = array;
  const value = plainValue(await array.read(), { dtype, shape, place: array });
  const old = array.attribute("encoding-type") === undefined;
  // Before 0.7 a text was stored as an array of one text.
  return old && Array.isArray(value) && value.length === 1 && dtype.kind === "string"
    ? value[0]!
    : value;
};

/** A child of a dictionary; one that cannot be read is a failure kept for whoever asks for it. */
async function readChild(
  group: StorageGroup,
  key: string,
  read: Read,
): Promise<PropertyDescriptor> {
  try {
    const child = await group.get(key);
    const value = child === undefined ? undefined : await read("value", child);
    return { value, enumerable: true, writable: true, configurable: true };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const get = () => {
      throw error;
    };
    return { get, enumerable: true, configurable: true };
  }
}

/** Reads a group of named values. One that cannot be read throws when it is asked for; the others are there. */
export const readDict: Reader<UnsValue> = async (node, read) => {
  const group = node as StorageGroup;
  const values: UnsDict = {};
  for (const key of group.keys()) {
    Object.defineProperty(values, key, await readChild(group, key, read));
  }
  return values;
};

/** Reads lists of any length and nesting: a form as JSON, and flat buffers. */
export const readAwkward: Reader<AwkwardArray> = async (node) => {
  const group = node as StorageGroup;
  const length = Number(group.attribute("length"));
  let form: AwkwardForm;
  try {
    form = JSON.parse(String(group.attribute("form")));
  } catch (cause) {
    const reason = "Cannot read the awkward array as its form must be JSON";
    throw new FormatError("value", reason, { file: node.file, key: node.key, cause });
  }
  const buffers = new Map<string, RawArray>();
  for (const name of group.keys()) {
    buffers.set(name, await readNumbers(await childArray(group, name)));
  }
  return new AwkwardArray({ length, form, buffers });
};

/** Python's None. */
export const readNull: Reader<UnsValue> = () => Promise.resolve(null);
