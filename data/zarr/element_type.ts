/** Element types as the metadata of either version spell them. */
import type { Dtype, NumericDtype } from "../storage.ts";
import { configured, isObject, type Json } from "./hierarchy.ts";
import { type FieldType, layStruct, type StructLayout } from "./struct.ts";

/** Version 2's numpy types by kind and size. */
const V2_NUMBERS: Readonly<Record<string, NumericDtype>> = {
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

const V3_NUMBERS: ReadonlySet<string> = new Set(Object.values(V2_NUMBERS));

/** An element type, and zarrita's name of it. */
export interface ElementType {
  readonly dtype: Dtype;
  readonly name: string;
  readonly struct?: StructLayout;
}

/** A type of fields; one that cannot be read is named. */
function structType(
  fields: readonly { readonly name: string; readonly type: FieldType | undefined }[],
): ElementType {
  const struct = layStruct(fields);
  if (typeof struct === "string") {
    return unsupported(`struct, with a field ${struct} of a type that is not known`);
  }
  if (struct.size === 0) return unsupported("struct without fields");
  const kinds = struct.fields.map(({ name, dtype }) => ({ name, dtype, shape: [] }));
  return { dtype: { kind: "struct", fields: kinds }, name: "uint8", struct };
}

/** A type as a field has it; undefined where it has no fixed size. */
function fieldType({ dtype, name }: ElementType, big: boolean): FieldType | undefined {
  if (dtype.kind === "bool") return { dtype, size: 1, big, wide: false };
  if (dtype.kind === "numeric") {
    return { dtype, size: Number(/\d+$/.exec(name)![0]) / 8, big, wide: false };
  }
  const text = /^v2:([US])(\d+)$/.exec(name);
  if (dtype.kind !== "string" || text === null) return undefined;
  const wide = text[1] === "U";
  return { dtype, size: Number(text[2]) * (wide ? 4 : 1), big, wide };
}

/** A type that cannot be read. */
export function unsupported(name: string): ElementType {
  return { dtype: { kind: "unsupported", name }, name: "uint8" };
}

/** Bytes of a type of fixed size out of the configuration of version 3. */
function lengthBytes(type: Json): number {
  const configuration = type["configuration"];
  const length = isObject(configuration) ? configuration["length_bytes"] : undefined;
  return Number.isSafeInteger(length) && Number(length) > 0 ? Number(length) : 0;
}

/** Element type of version 3. */
export function typeOfV3(type: unknown): ElementType {
  if (type === "bool") return { dtype: { kind: "bool" }, name: "bool" };
  if (type === "string") return { dtype: { kind: "string" }, name: "string" };
  if (typeof type === "string" && V3_NUMBERS.has(type)) {
    return { dtype: { kind: "numeric", name: type as NumericDtype }, name: type };
  }
  if (isObject(type)) {
    const length = lengthBytes(type);
    if (type["name"] === "fixed_length_utf32" && length % 4 === 0 && length > 0) {
      return { dtype: { kind: "string" }, name: `v2:U${length / 4}` };
    }
    if (type["name"] === "null_terminated_bytes" && length > 0) {
      return { dtype: { kind: "string" }, name: `v2:S${length}` };
    }
  }
  const name = isObject(type) ? type["name"] : type;
  if (name !== "struct" && name !== "structured") return unsupported(`${name}`);
  const fields = configured(type, "fields");
  return structType((Array.isArray(fields) ? fields : []).map((field) => {
    const [label, kind] = isObject(field) ? [field["name"], field["data_type"]] : field;
    return { name: String(label), type: fieldType(typeOfV3(kind), false) };
  }));
}

/** Element type of version 2. */
export function typeOfV2(type: unknown, filters: readonly Json[]): ElementType {
  if (Array.isArray(type)) {
    return structType(type.map(([name, kind, axes]) => ({
      name: String(name),
      type: axes === undefined ? fieldType(typeOfV2(kind, []), /^>/.test(kind)) : undefined,
    })));
  }
  const match = typeof type === "string" ? /^[<>|]([a-zA-Z])(\d*)(.*)$/.exec(type) : null;
  if (match === null) return unsupported(JSON.stringify(type) ?? "none");
  const [, kind, size, rest] = match as unknown as [string, string, string, string];
  const numeric = V2_NUMBERS[kind + size];
  if (numeric !== undefined && rest === "") {
    return { dtype: { kind: "numeric", name: numeric }, name: numeric };
  }
  if (kind === "b" && size === "1") return { dtype: { kind: "bool" }, name: "bool" };
  if ((kind === "U" || kind === "S") && Number(size) > 0) {
    return { dtype: { kind: "string" }, name: `v2:${kind}${Number(size)}` };
  }
  if (kind !== "O") return unsupported(String(type));
  const codec = filters.find((filter) => TEXT_FILTERS.has(String(filter["id"])));
  if (codec !== undefined) return { dtype: { kind: "string" }, name: "string" };
  const found = filters.map((filter) => filter["id"]).join(", ") || "no codec";
  return unsupported(`Python objects (${found})`);
}

/** Filters of version 2 that make texts of bytes. */
const TEXT_FILTERS: ReadonlySet<string> = new Set([
  "vlen-utf8",
  "vlen-bytes",
  "json2",
  "categorize",
]);
