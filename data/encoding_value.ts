/** Unstructured values of anndata's encodings. */
import type { Reader } from "./encoding_roles.ts";
import { safeIntegers } from "./numbers.ts";
import type { ArrayData, Dtype, RawArray, StorageArray, StorageGroup } from "./storage.ts";
import type { UnsValue } from "./uns.ts";

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
    return Object.fromEntries(dtype.fields.map((field) => [
      field.name,
      plainValue(fields.get(field.name)!, {
        dtype: field.dtype,
        shape: [...shape, ...field.shape],
        place,
      }),
    ]));
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

/** Reads a group of named values. */
export const readDict: Reader<UnsValue> = async (node, read) => {
  const group = node as StorageGroup;
  const entries: [string, UnsValue][] = [];
  for (const key of group.keys()) {
    const child = await group.get(key);
    if (child !== undefined) entries.push([key, await read("value", child)]);
  }
  return Object.fromEntries(entries);
};

/** Python's None. */
export const readNull: Reader<UnsValue> = () => Promise.resolve(null);
