/**
 * Structured types: rows of named fields. Codecs know none, so their bytes are read as one more axis of `uint8` and taken apart
 * here. Version 2 lists `[name, type]`; version 3 has the data type `struct` (or `structured`) with `fields`.
 */
import { BIT_ARRAYS } from "../numbers.ts";
import type { ArrayData, Dtype, NumericDtype, RawArray } from "../storage.ts";

/** A field as it lies in a row. */
export interface FieldLayout {
  /** Name. */
  readonly name: string;
  /** Element type: a number, a truth value or a text. */
  readonly dtype: Dtype;
  /** First byte in a row. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** Whether numbers have their highest byte first. */
  readonly big: boolean;
  /** Whether a text has four bytes a character rather than UTF-8. */
  readonly wide: boolean;
}

/** A field before its place is known. */
export type FieldType = Omit<FieldLayout, "name" | "offset">;

/** Rows of fields. */
export interface StructLayout {
  /** The fields in order, without gaps. */
  readonly fields: readonly FieldLayout[];
  /** Bytes of a row. */
  readonly size: number;
}

/** Lays fields one after the other; the name of the first whose type cannot be read where there is one. */
export function layStruct(
  fields: readonly { readonly name: string; readonly type: FieldType | undefined }[],
): StructLayout | string {
  let size = 0;
  const laid: FieldLayout[] = [];
  for (const { name, type } of fields) {
    if (type === undefined) return name;
    laid.push({ name, offset: size, ...type });
    size += type.size;
  }
  return { fields: laid, size };
}

/** Texts of four bytes a character, padded with NUL. */
function wideText(bytes: Uint8Array, big: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const points = Array.from({ length: bytes.length / 4 }, (_, k) => view.getUint32(4 * k, !big));
  const end = points.findLastIndex((point) => point !== 0) + 1;
  return String.fromCodePoint(...points.slice(0, end));
}

/** Texts of UTF-8, padded with NUL. */
function narrowText(bytes: Uint8Array): string {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** Numbers of packed bytes. */
function numbers(bytes: Uint8Array<ArrayBuffer>, name: NumericDtype, big: boolean): RawArray {
  const Numbers = BIT_ARRAYS[name];
  const width = Numbers.BYTES_PER_ELEMENT;
  if (big) {
    for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  }
  if (name !== "float16") return new Numbers(bytes.buffer);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, k) => view.getFloat16(2 * k, true));
}

/** The fields of packed rows. */
export function splitRows(rows: Uint8Array, { fields, size }: StructLayout): ArrayData {
  const count = rows.length / size;
  return {
    fields: new Map(fields.map((field): [string, ArrayData] => {
      const bytes = new Uint8Array(count * field.size);
      for (let row = 0; row < count; row++) {
        const start = row * size + field.offset;
        bytes.set(rows.subarray(start, start + field.size), row * field.size);
      }
      if (field.dtype.kind === "bool") return [field.name, bytes];
      if (field.dtype.kind === "numeric") {
        return [field.name, numbers(bytes, field.dtype.name, field.big)];
      }
      const texts = Array.from({ length: count }, (_, row) => {
        const text = bytes.subarray(row * field.size, (row + 1) * field.size);
        return field.wide ? wideText(text, field.big) : narrowText(text);
      });
      return [field.name, texts];
    })),
  };
}
