/**
 * What an array's metadata mean, and the same metadata as zarrita takes them: checked, with a fill value it can use, and with
 * our codecs where its own pass over damage. Formats: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html and v3/core.
 */
import type { Dtype, NumericDtype } from "../storage.ts";
import { isObject, type Json, type ZarrFormat } from "./hierarchy.ts";
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

/** An array as its metadata describe it. */
export interface ArrayMeta {
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** Lengths of a chunk as it is decoded: of an inner chunk where there are shards. */
  readonly chunks: readonly number[];
  /** Element type; "unsupported", with the reason as its name, where the array cannot be read. */
  readonly dtype: Dtype;
  /** How the fields of a structured type lie in a row; its rows are decoded as one more axis of bytes. */
  readonly struct: StructLayout | undefined;
  /** Metadata for zarrita, version 3. */
  readonly json: Json;
}

/** An element type, and zarrita's name of it. */
interface ElementType {
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
function unsupported(name: string): ElementType {
  return { dtype: { kind: "unsupported", name }, name: "uint8" };
}

/** Bytes of a type of fixed size out of the configuration of version 3. */
function lengthBytes(type: Json): number {
  const configuration = type["configuration"];
  const length = isObject(configuration) ? configuration["length_bytes"] : undefined;
  return Number.isSafeInteger(length) && Number(length) > 0 ? Number(length) : 0;
}

/** Element type of version 3. */
function typeOfV3(type: unknown): ElementType {
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
function typeOfV2(type: unknown, filters: readonly Json[]): ElementType {
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

/** Codecs that are ours, by the names that metadata have for them. */
const OURS: Readonly<Record<string, string>> = {
  "vlen-utf8": "scgpt.vlen-utf8",
  "vlen-bytes": "scgpt.vlen-utf8",
  "variable_length_utf8": "scgpt.vlen-utf8",
  json2: "scgpt.json2",
  categorize: "scgpt.categorize",
  crc32c: "scgpt.crc32c",
  blosc: "scgpt.blosc",
  zstd: "scgpt.zstd",
};

/** A codec under the name that zarrita's registry or ours has for it. */
function codecOf(name: string, configuration: Json): Json {
  const plain = name.replace(/^numcodecs\./, "");
  if (plain === "sharding_indexed") {
    return {
      name: plain,
      configuration: {
        ...configuration,
        codecs: codecsOfV3(configuration["codecs"]),
        index_codecs: codecsOfV3(configuration["index_codecs"]),
      },
    };
  }
  return { name: OURS[plain] ?? name, configuration };
}

/** The codecs of version 3; an entry may be a bare name. */
function codecsOfV3(codecs: unknown): Json[] {
  if (!Array.isArray(codecs)) return [];
  return codecs.map((codec) => {
    if (!isObject(codec)) return codecOf(String(codec), {});
    const { name, configuration } = codec;
    return codecOf(String(name), isObject(configuration) ? configuration : {});
  });
}

/** The codecs of version 2 in the order of version 3: order and byte order first, the compressor last. */
function codecsOfV2(json: Json, filters: readonly Json[], type: ElementType): Json[] {
  const codecs: Json[] = [];
  if (json["order"] === "F") codecs.push({ name: "transpose", configuration: { order: "F" } });
  const texts = type.name === "string";
  const steps = filters.map(({ id, ...configuration }) =>
    codecOf(`numcodecs.${id}`, configuration)
  );
  const big = String(json["dtype"]).startsWith(">");
  if (!texts) {
    codecs.push(...steps.filter(({ name }) => ARRAY_FILTERS.has(String(name))));
    codecs.push({ name: "bytes", configuration: { endian: big ? "big" : "little" } });
  }
  codecs.push(...steps.filter(({ name }) => texts || !ARRAY_FILTERS.has(String(name))));
  const { compressor } = json;
  if (isObject(compressor)) {
    const { id, ...configuration } = compressor;
    codecs.push(codecOf(`numcodecs.${id}`, configuration));
  }
  return codecs;
}

/** Filters of version 2 that work on numbers rather than on bytes. */
const ARRAY_FILTERS: ReadonlySet<string> = new Set(["numcodecs.delta", "numcodecs.bitround"]);

/** Value of a float that version 3 spells by its bits. */
function floatOfBits(text: string, name: string): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, BigInt(text));
  if (name === "float64") return bits.getFloat64(0);
  if (name === "float32") return bits.getFloat32(4);
  return NaN; // half precision spells out nothing but NaN
}

/** A fill value that zarrita can fill chunks with. */
function fillOf(value: unknown, { dtype, name }: ElementType): unknown {
  if (dtype.kind === "string") return typeof value === "string" ? value : "";
  if (dtype.kind === "bool") return value === true || value === 1;
  if (dtype.kind === "struct") return 0;
  if (value === null || value === undefined || value === "") return 0;
  if (typeof value === "string" && value.startsWith("0x")) return floatOfBits(value, name);
  return value;
}

/** A list of lengths; undefined where it is none. */
function lengthsOf(value: unknown, least: number): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const good = value.every((length) => Number.isSafeInteger(length) && length >= least);
  return good ? value : undefined;
}

/** The member of a configuration. */
function configured(json: unknown, name: string): unknown {
  const configuration = isObject(json) ? json["configuration"] : undefined;
  return isObject(configuration) ? configuration[name] : undefined;
}

/** Lengths of the pieces that are decoded: inner chunks where there are shards; undefined where they do not fit. */
function innerChunks(codecs: readonly Json[], outer: readonly number[]): number[] | undefined {
  const sharding = codecs.find(({ name }) => name === "sharding_indexed");
  if (sharding === undefined) return [...outer];
  const inner = lengthsOf(configured(sharding, "chunk_shape"), 1);
  const fits = inner?.length === outer.length &&
    inner.every((length, axis) => outer[axis]! % length === 0);
  return fits ? inner : undefined;
}

/** A codec for rows of bytes: a shard's inner chunks have that axis too. */
function withRows(codec: Json, inner: readonly number[]): Json {
  const { name, configuration } = codec;
  if (name !== "sharding_indexed" || !isObject(configuration)) return codec;
  return { name, configuration: { ...configuration, chunk_shape: inner } };
}

/** The parts of either version's metadata. */
function partsOf(json: Json, format: ZarrFormat) {
  if (format === 3) {
    const type = typeOfV3(json["data_type"]);
    return {
      type,
      outer: lengthsOf(configured(json["chunk_grid"], "chunk_shape"), 1),
      keys: isObject(json["chunk_key_encoding"])
        ? json["chunk_key_encoding"]
        : { name: "default", configuration: { separator: "/" } },
      codecs: codecsOfV3(json["codecs"]),
    };
  }
  const filters = Array.isArray(json["filters"]) ? json["filters"].filter(isObject) : [];
  const type = typeOfV2(json["dtype"], filters);
  return {
    type,
    outer: lengthsOf(json["chunks"], 1),
    keys: {
      name: "v2",
      configuration: { separator: json["dimension_separator"] === "/" ? "/" : "." },
    },
    codecs: codecsOfV2(json, filters, type),
  };
}

/** What the metadata of an array mean; what is wrong with them becomes an unsupported type, so that only reading fails. */
export function arrayMeta(json: Json, format: ZarrFormat): ArrayMeta {
  const { type, outer, keys, codecs } = partsOf(json, format);
  const shape = lengthsOf(json["shape"], 0);
  const chunks = outer && innerChunks(codecs, outer);
  if (shape === undefined || outer?.length !== shape.length || chunks === undefined) {
    const { dtype } = unsupported(
      `unknown, as shape ${JSON.stringify(json["shape"])} and its chunks do not fit`,
    );
    return { shape: shape ?? [], chunks: shape ?? [], dtype, struct: undefined, json: {} };
  }
  const row = type.struct === undefined ? [] : [type.struct.size];
  return {
    shape,
    chunks,
    dtype: type.dtype,
    struct: type.struct,
    json: {
      zarr_format: 3,
      node_type: "array",
      shape: [...shape, ...row],
      data_type: type.name,
      chunk_grid: { name: "regular", configuration: { chunk_shape: [...outer, ...row] } },
      chunk_key_encoding: keys,
      codecs: row.length === 0
        ? codecs
        : codecs.map((codec) => withRows(codec, [...chunks, ...row])),
      fill_value: fillOf(json["fill_value"], type),
      attributes: {},
    },
  };
}
