/** Rows of named fields as HDF5 stores them. */
import { type H5Module, H5T, type H5Type } from "./hdf5_types.ts";
import type { ArrayData, Dtype, RawArray } from "../storage.ts";

/** A field laid out in a row. */
interface Field {
  readonly name: string;
  readonly type: Partial<H5Type>;
  readonly offset: number;
  /** One value a row. */
  readonly bytes: Uint8Array;
}

/** Puts texts on the library's heap, each ended by NUL; returns their addresses. */
function placeTexts(
  module: H5Module,
  texts: readonly string[],
  owned: number[],
): Uint32Array {
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const length = encoded.reduce((sum, bytes) => sum + bytes.length + 1, 0);
  const start = module._malloc(Math.max(1, length));
  if (start === 0) {
    throw new RangeError(`Cannot write texts of ${length} bytes: no memory for them`);
  }
  owned.push(start);
  let at = start;
  return Uint32Array.from(encoded, (bytes) => {
    const address = at;
    module.HEAPU8.set(bytes, at);
    module.HEAPU8[at + bytes.length] = 0;
    at += bytes.length + 1;
    return address;
  });
}

/** Refuses fields that cannot be written. */
function checkField(name: string, dtype: Dtype, shape: readonly number[]): void {
  if (shape.length > 0 || (dtype.kind !== "numeric" && dtype.kind !== "string")) {
    const found = shape.length > 0 ? "an array" : dtype.kind;
    throw new TypeError(
      `Cannot write the field ${name} as a field must be one number or text: it is ${found}`,
    );
  }
}

/** Type and bytes of one field. */
function layField(
  module: H5Module,
  data: ArrayData,
  owned: number[],
): { type: Partial<H5Type>; bytes: Uint8Array } {
  const base = { vlen: false, signed: false, littleEndian: true };
  if (Array.isArray(data)) {
    const addresses = placeTexts(module, data, owned);
    return {
      type: { ...base, type: H5T.string, size: 4, vlen: true, cset: 1 },
      bytes: new Uint8Array(addresses.buffer),
    };
  }
  const values = data as RawArray;
  const float = values instanceof Float32Array || values instanceof Float64Array;
  const signed = values instanceof Int8Array || values instanceof Int16Array ||
    values instanceof Int32Array || values instanceof BigInt64Array;
  return {
    type: {
      ...base,
      type: float ? H5T.float : H5T.integer,
      size: values.BYTES_PER_ELEMENT,
      signed,
    },
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** The fields one after the other without gaps. */
function layFields(
  module: H5Module,
  fields: ReadonlyMap<string, ArrayData>,
  owned: number[],
): Field[] {
  let offset = 0;
  return [...fields].map(([name, data]) => {
    const field = { name, offset, ...layField(module, data, owned) };
    offset += field.type.size!;
    return field;
  });
}

/**
 * Packs fields into rows on the library's heap while `act` runs.
 *
 * @throws {TypeError} Where a field is neither a number nor a text.
 */
export function packRows(
  module: H5Module,
  fields: ReadonlyMap<string, ArrayData>,
  options: { shape: readonly number[]; dtype: Dtype },
  act: (pointer: bigint, type: Partial<H5Type>) => void,
): void {
  if (options.dtype.kind === "struct") {
    for (const { name, dtype, shape } of options.dtype.fields) checkField(name, dtype, shape);
  }
  const owned: number[] = [];
  try {
    const laid = layFields(module, fields, owned);
    const size = laid.reduce((sum, field) => sum + field.type.size!, 0);
    const count = options.shape.reduce((product, length) => product * length, 1);
    const pointer = module._malloc(Math.max(1, size * count));
    if (pointer === 0) throw new RangeError(`Cannot write ${count} rows: no memory for them`);
    owned.push(pointer);
    for (const field of laid) {
      const width = field.type.size!;
      for (let row = 0; row < count; row++) {
        const value = field.bytes.subarray(row * width, (row + 1) * width);
        module.HEAPU8.set(value, pointer + row * size + field.offset);
      }
    }
    const members = laid.map(({ name, type, offset }) => ({ ...type, name, offset })) as never;
    act(BigInt(pointer), {
      type: H5T.compound,
      size,
      vlen: false,
      signed: false,
      littleEndian: true,
      compound_type: { members, nmembers: laid.length },
    });
  } finally {
    for (const pointer of owned) module._free(pointer);
  }
}
