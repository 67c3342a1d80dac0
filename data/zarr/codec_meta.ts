/** The codecs of an array as the metadata of either version list them, in the order of version 3. */
import { configured, isObject, type Json } from "./hierarchy.ts";

/** A codec and what it needs to know. */
export interface CodecMeta {
  /** Name in zarrita's registry or among ours. */
  readonly name: string;
  /** What it needs to know. */
  readonly configuration: Json;
}

/** The codecs of a version 2 array before they are put in order. */
export interface CodecsV2 {
  /** Its metadata. */
  readonly json: Json;
  /** Its filters. */
  readonly filters: readonly Json[];
  /** Whether its elements are texts of any length. */
  readonly texts: boolean;
}

/** Filters of version 2 that work on numbers rather than on bytes. */
const ARRAY_FILTERS: ReadonlySet<string> = new Set(["numcodecs.delta", "numcodecs.bitround"]);

/** The codecs of version 3; an entry may be a bare name. */
export function codecsOfV3(codecs: unknown): CodecMeta[] {
  if (!Array.isArray(codecs)) return [];
  return codecs.map((codec) => {
    if (!isObject(codec)) return { name: String(codec), configuration: {} };
    const { name, configuration } = codec;
    return { name: String(name), configuration: isObject(configuration) ? configuration : {} };
  });
}

/** A filter or compressor of version 2. */
function codecOfV2({ id, ...configuration }: Json): CodecMeta {
  return { name: `numcodecs.${id}`, configuration };
}

/** The codecs of version 2: order and byte order first, the compressor last. */
export function codecsOfV2({ json, filters, texts }: CodecsV2): CodecMeta[] {
  const codecs: CodecMeta[] = [];
  if (json["order"] === "F") codecs.push({ name: "transpose", configuration: { order: "F" } });
  const steps = filters.map(codecOfV2);
  const big = String(json["dtype"]).startsWith(">");
  if (!texts) {
    codecs.push(...steps.filter(({ name }) => ARRAY_FILTERS.has(name)));
    codecs.push({ name: "bytes", configuration: { endian: big ? "big" : "little" } });
  }
  codecs.push(...steps.filter(({ name }) => texts || !ARRAY_FILTERS.has(name)));
  const { compressor } = json;
  if (isObject(compressor)) codecs.push(codecOfV2(compressor));
  return codecs;
}

/** How the chunks of a shard are found. */
export interface ShardMeta {
  /** Lengths of a chunk, not yet checked. */
  readonly chunkShape: unknown;
  /** Codecs of a chunk. */
  readonly codecs: readonly CodecMeta[];
  /** Codecs of the index. */
  readonly index: readonly CodecMeta[];
  /** Whether the index lies before the chunks. */
  readonly indexFirst: boolean;
  /** Codecs of whole shards. */
  readonly around: readonly CodecMeta[];
}

/** The codecs of a shard; undefined where an array has none. */
export function shardOf(codecs: readonly CodecMeta[]): ShardMeta | undefined {
  const sharding = codecs.find(({ name }) => name === "sharding_indexed");
  if (sharding === undefined) return undefined;
  const value = (name: string) => configured(sharding, name);
  return {
    chunkShape: value("chunk_shape"),
    codecs: codecsOfV3(value("codecs")),
    index: codecsOfV3(value("index_codecs")),
    indexFirst: value("index_location") === "start",
    around: codecs.filter((codec) => codec !== sharding),
  };
}

/** A codec over one more axis behind the others, that of the bytes of a row, which stay together. */
export function overRows(codec: CodecMeta, rank: number): CodecMeta {
  if (codec.name !== "transpose") return codec;
  const { order } = codec.configuration;
  const axes = Array.isArray(order) ? order : Array.from({ length: rank }, (_, k) => k);
  const turned = order === "F" ? axes.toReversed() : axes;
  return { name: codec.name, configuration: { order: [...turned, rank] } };
}
