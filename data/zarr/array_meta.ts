/**
 * What an array's metadata mean, checked. Formats: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html and v3/core.
 */
import type { Dtype } from "../storage.ts";
import { type CodecMeta, codecsOfV2, codecsOfV3, overRows, shardOf } from "./codec_meta.ts";
import { type ElementType, typeOfV2, typeOfV3, unsupported } from "./element_type.ts";
import { configured, isObject, type Json, type ZarrFormat } from "./hierarchy.ts";
import type { StructLayout } from "./struct.ts";

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
  /** How chunks are stored; undefined where the array cannot be read. */
  readonly layout: ChunkLayout | undefined;
}

/** How chunks are stored. */
export interface ChunkLayout {
  /** zarrita's name of the element type. */
  readonly dataType: string;
  /** Lengths of a chunk as it is decoded, of structured rows with the axis of their bytes. */
  readonly shape: readonly number[];
  /** Codecs of a chunk in the order in which they were applied. */
  readonly codecs: readonly CodecMeta[];
  /** The value of chunks that are not stored; throws where the metadata have none. */
  readonly fill: () => FillValue;
  /** How chunks are named. */
  readonly names: { readonly prefix: string; readonly separator: string };
  /** How chunks lie in shards, where they do. */
  readonly shards: ShardLayout | undefined;
}

/** A value that fills chunks. */
export type FillValue = number | bigint | boolean | string;

/** How chunks lie in shards. */
export interface ShardLayout {
  /** Chunks of a shard along each axis. */
  readonly counts: readonly number[];
  /** Codecs of the index. */
  readonly index: readonly CodecMeta[];
  /** Whether the index lies before the chunks. */
  readonly indexFirst: boolean;
  /** Codecs of whole shards. */
  readonly around: readonly CodecMeta[];
}

/** Value of a float that version 3 spells by its bits. */
function floatOfBits(text: string, name: string): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, BigInt(text));
  if (name === "float64") return bits.getFloat64(0);
  if (name === "float32") return bits.getFloat32(4);
  return NaN; // half precision spells out nothing but NaN
}

/** A fill value that chunks can be filled with. */
function fillOf(value: unknown, { dtype, name }: ElementType): FillValue {
  if (dtype.kind === "string") return typeof value === "string" ? value : "";
  if (dtype.kind === "bool") return value === true || value === 1;
  if (dtype.kind === "struct") return 0;
  const plain = value === null || value === undefined || value === "" ? 0 : value;
  if (typeof plain === "string" && plain.startsWith("0x")) return floatOfBits(plain, name);
  return /int64$/.test(name) ? BigInt(plain as number) : Number(plain);
}

/** A list of lengths; undefined where it is none. */
function lengthsOf(value: unknown, least: number): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const good = value.every((length) => Number.isSafeInteger(length) && length >= least);
  return good ? value : undefined;
}

/** Prefix and separator of the names of chunks. */
function namesOf(json: Json, format: ZarrFormat): ChunkLayout["names"] {
  const { chunk_key_encoding: encoding, dimension_separator: plain } = json;
  const separator = format === 2 ? plain : configured(encoding, "separator");
  if (format === 2 || isObject(encoding) && encoding["name"] === "v2") {
    return { prefix: "", separator: separator === "/" ? "/" : "." };
  }
  return { prefix: "c", separator: separator === "." ? "." : "/" };
}

/** The parts of either version's metadata. */
function partsOf(json: Json, format: ZarrFormat) {
  if (format === 3) {
    const outer = lengthsOf(configured(json["chunk_grid"], "chunk_shape"), 1);
    return { type: typeOfV3(json["data_type"]), outer, codecs: codecsOfV3(json["codecs"]) };
  }
  const filters = Array.isArray(json["filters"]) ? json["filters"].filter(isObject) : [];
  const type = typeOfV2(json["dtype"], filters);
  const codecs = codecsOfV2({ json, filters, texts: type.name === "string" });
  return { type, outer: lengthsOf(json["chunks"], 1), codecs };
}

/** Chunks of a shard along each axis; undefined where they do not fit. */
function countsOf(outer: readonly number[], inner: readonly number[]): number[] | undefined {
  const counts = outer.map((length, axis) => length / inner[axis]!);
  return inner.length === outer.length && counts.every(Number.isInteger) ? counts : undefined;
}

/** How chunks are stored; undefined where chunks and shards do not fit. */
function layoutOf(
  { type, codecs, outer }: { type: ElementType; codecs: CodecMeta[]; outer: number[] },
  { fill_value: fill }: Json,
  names: ChunkLayout["names"],
): ChunkLayout | undefined {
  const shard = shardOf(codecs);
  const inner = shard === undefined ? outer : lengthsOf(shard.chunkShape, 1);
  const counts = inner && countsOf(outer, inner);
  if (inner === undefined || counts === undefined) return undefined;
  const rows = type.struct === undefined ? [] : [type.struct.size];
  const own = shard?.codecs ?? codecs;
  return {
    dataType: type.name,
    shape: [...inner, ...rows],
    codecs: rows.length === 0 ? own : own.map((codec) => overRows(codec, inner.length)),
    fill: () => fillOf(fill, type),
    names,
    shards: shard && { ...shard, counts },
  };
}

/** What the metadata of an array mean; what is wrong with them becomes an unsupported type, so that only reading fails. */
export function arrayMeta(json: Json, format: ZarrFormat): ArrayMeta {
  const { type, outer, codecs } = partsOf(json, format);
  const shape = lengthsOf(json["shape"], 0);
  const fits = outer !== undefined && outer.length === shape?.length;
  const layout = fits ? layoutOf({ type, outer, codecs }, json, namesOf(json, format)) : undefined;
  if (shape !== undefined && layout !== undefined) {
    const chunks = layout.shape.slice(0, shape.length);
    return { shape, chunks, dtype: type.dtype, struct: type.struct, layout };
  }
  const found = `unknown, as shape ${JSON.stringify(json["shape"])} and its chunks do not fit`;
  const { dtype } = unsupported(found);
  return { shape: shape ?? [], chunks: shape ?? [], dtype, struct: undefined, layout };
}
