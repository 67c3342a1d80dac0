/** Writing zarr stores of versions 2 and 3: groups, attributes, arrays at once or piece by piece. */
import { BufferedRows, bytesIn } from "../buffered_rows.ts";
import type {
  ArrayData,
  ArrayOptions,
  ArrayStream,
  AttributeValue,
  Dtype,
  NumericDtype,
  RawArray,
  StorageWriter,
} from "../storage.ts";
import { ChunkWriter } from "./chunk_write.ts";
import {
  type Compress,
  compressorsV3,
  compressorV2,
  dataType,
  encodeTexts,
  fillValue,
  halfFloats,
  itemBytes,
  packStruct,
  type ZarrCompression,
} from "./encoders.ts";
import { join, type Json, type ZarrFormat } from "./hierarchy.ts";
import type { ZarrSink } from "./sink.ts";

/** Bytes of a chunk before it is compressed; of an inner chunk where there are shards. */
const CHUNK_BYTES = 1 << 22;
const INNER_BYTES = 1 << 18;

/** Inner chunks of a shard. */
const SHARD_CHUNKS = 64;

/** Texts of a chunk. */
const CHUNK_TEXTS = 1 << 17;

/** How a store is written. */
export interface ZarrLayout {
  /** Version of the format. */
  readonly format: ZarrFormat;
  /** Name of the compression. */
  readonly compression: ZarrCompression;
  /** Compresses a chunk. */
  readonly compress: Compress;
  /** Whether many small chunks share a file. */
  readonly shards: boolean;
}

/** A node whose metadata are not written yet, as its attributes may grow. */
interface Pending {
  readonly attributes: Record<string, AttributeValue>;
  /** Metadata of an array without its attributes; undefined for a group. */
  readonly array: Json | undefined;
}

/** Names that mean something else in a store or on a disk. */
const RESERVED = /^(\.{0,2}|\.z(group|array|attrs|metadata)|zarr\.json)$/;

/** Refuses a key that would lie outside the store or in place of its metadata, as a file that is copied may have. */
function checkKey(key: string): void {
  const bad = key.split("/").find((name) => RESERVED.test(name) || name.includes("\\"));
  if (bad === undefined) return;
  throw new RangeError(
    `Cannot write ${key} as zarr has no room for the name ${JSON.stringify(bad)}`,
  );
}

/** An array that is stored. */
interface Stored extends ArrayOptions {
  /** Bytes of an element. */
  readonly itemBytes: number;
  /** The elements of a structured array, which its type depends on. */
  readonly data?: ArrayData;
}

/** A zarr store being written; metadata come last, so that an unfinished store holds no nodes. */
export class ZarrWriter implements StorageWriter {
  readonly #sink: ZarrSink;
  readonly #layout: ZarrLayout;
  readonly #nodes = new Map<string, Pending>([["", { attributes: {}, array: undefined }]]);

  /** Starts a store. */
  constructor(sink: ZarrSink, layout: ZarrLayout) {
    this.#sink = sink;
    this.#layout = layout;
  }

  /** Makes a group and the attributes of it. */
  // deno-lint-ignore require-await -- so that a wrong name rejects instead of throwing
  async group(key: string, attributes: Readonly<Record<string, AttributeValue>>): Promise<void> {
    checkKey(key);
    this.#nodes.set(key, { attributes: { ...attributes }, array: undefined });
  }

  /** Sets attributes of a node. */
  attributes(key: string, attributes: Readonly<Record<string, AttributeValue>>): Promise<void> {
    Object.assign(this.#nodes.get(key)!.attributes, attributes);
    return Promise.resolve();
  }

  /** Why elements of a type cannot be written; undefined where they can. */
  refusal(dtype: Dtype): string | undefined {
    if (dtype.kind === "unsupported") return `elements of type ${dtype.name} cannot be written`;
    if (dtype.kind !== "struct") return undefined;
    const bad = dtype.fields.find(({ shape, dtype: { kind } }) =>
      shape.length > 0 || !["numeric", "string", "bool"].includes(kind)
    );
    return bad && `the field ${bad.name} of a table is neither one number nor one text`;
  }

  /** Writes a whole array. */
  async array(key: string, data: ArrayData, options: ArrayOptions): Promise<void> {
    checkKey(key);
    const { dtype, shape } = options;
    if (Array.isArray(data)) return await this.#texts(key, data, options);
    if ("fields" in data) {
      const fields = dtype.kind === "struct" ? dtype.fields : [];
      const { bytes, size } = packStruct(fields, data.fields);
      return await this.#whole(key, bytes, { dtype, shape, itemBytes: size, data });
    }
    const half = dtype.kind === "numeric" && dtype.name === "float16";
    const values = half ? halfFloats(data) : data;
    const itemBytes = values.BYTES_PER_ELEMENT;
    await this.#whole(key, bytesIn(values), { dtype, shape, itemBytes });
  }

  /** Writes the bytes of an array. */
  async #whole(key: string, bytes: Uint8Array, array: Stored): Promise<void> {
    const chunks = this.#chunksOf(key, array.shape, array);
    await chunks.append(bytes);
    await chunks.finish();
    this.#remember(key, array, chunks.rows);
  }

  /** Writes texts. */
  async #texts(key: string, texts: readonly string[], options: ArrayOptions): Promise<void> {
    const [length = 1, ...rest] = options.shape;
    const width = rest.reduce((a, b) => a * b, 1);
    const rows = Math.max(1, Math.min(length, Math.floor(CHUNK_TEXTS / Math.max(1, width))));
    for (let start = 0, chunk = 0; start < length && width > 0; start += rows, chunk++) {
      const part = texts.slice(start * width, (start + rows) * width);
      const padded = [...part, ...new Array<string>(rows * width - part.length).fill("")];
      const name = this.#chunkKey(key, options.shape.length, chunk);
      await this.#sink.set(name, await this.#layout.compress(encodeTexts(padded)));
    }
    this.#remember(key, { ...options, itemBytes: 1 }, rows);
  }

  /** Starts an array of numbers that grows along its first axis; one that stays small is written at once when finished. */
  stream(key: string, name: NumericDtype, rest: readonly number[] = []): ArrayStream {
    checkKey(key);
    const size = itemBytes(name);
    const dtype: Dtype = { kind: "numeric", name };
    const chunks = this.#chunksOf(key, [Infinity, ...rest], { dtype, itemBytes: size });
    const remember = (length: number) =>
      this.#remember(key, { shape: [length, ...rest], dtype, itemBytes: size }, chunks.rows);
    const rows = new BufferedRows(chunks, {
      whole: (bytes, length) =>
        this.#whole(key, bytes, { shape: [length, ...rest], dtype, itemBytes: size }),
      start: () => Promise.resolve(),
      append: (bytes) => chunks.append(bytes),
    });
    return {
      append: (values: RawArray) => rows.append(name === "float16" ? halfFloats(values) : values),
      finish: async () => {
        const length = await rows.finish();
        await chunks.finish();
        if (!this.#nodes.has(key)) remember(length);
        return length;
      },
    };
  }

  /** Whether an array has shards; zarr's Python package fails on shards of structured rows. */
  #isSharded(dtype: Dtype, rank: number): boolean {
    return this.#layout.shards && rank > 0 && (dtype.kind === "numeric" || dtype.kind === "bool");
  }

  /** A writer of the chunks of an array. */
  #chunksOf(
    key: string,
    shape: readonly number[],
    { dtype, itemBytes }: { dtype: Dtype; itemBytes: number },
  ): ChunkWriter {
    const { compress } = this.#layout;
    const shards = this.#isSharded(dtype, shape.length);
    const rowBytes = shape.slice(1).reduce((product, length) => product * length, itemBytes);
    const wanted = Math.floor((shards ? INNER_BYTES : CHUNK_BYTES) / Math.max(1, rowBytes));
    return new ChunkWriter({
      rows: Math.max(1, Math.min(shape[0] ?? 1, wanted)),
      rowBytes,
      shard: shards ? SHARD_CHUNKS : undefined,
      compress,
      put: (chunk, bytes) => this.#sink.set(this.#chunkKey(key, shape.length, chunk), bytes),
    });
  }

  /** Key of a chunk along the first axis. */
  #chunkKey(key: string, rank: number, chunk: number): string {
    const coordinates = rank === 0 ? [] : [chunk, ...new Array<number>(rank - 1).fill(0)];
    if (this.#layout.format === 3) return join(key, ["c", ...coordinates].join("/"));
    return join(key, coordinates.join(".") || "0");
  }

  /** Keeps the metadata of an array that is written in chunks of some rows. */
  #remember(key: string, array: Stored, rows: number): void {
    const chunks = array.shape.map((length, axis) => Math.max(1, axis === 0 ? rows : length));
    const json = this.#layout.format === 2
      ? this.#arrayV2(array, chunks)
      : this.#arrayV3(array, chunks);
    this.#nodes.set(key, { attributes: {}, array: json });
  }

  #arrayV2(array: Stored, chunks: readonly number[]): Json {
    const texts = array.dtype.kind === "string";
    return {
      zarr_format: 2,
      shape: array.shape,
      chunks,
      dtype: dataType(array.dtype, array.data, 2),
      fill_value: fillValue(array.dtype, array.itemBytes),
      order: "C",
      filters: texts ? [{ id: "vlen-utf8" }] : null,
      dimension_separator: ".",
      compressor: compressorV2(this.#layout.compression),
    };
  }

  #arrayV3(array: Stored, chunks: readonly number[]): Json {
    const { compression } = this.#layout;
    const texts = array.dtype.kind === "string";
    const plain = array.itemBytes === 1 || array.dtype.kind === "struct";
    const bytes = plain ? {} : { configuration: { endian: "little" } };
    const codecs = [
      texts ? { name: "vlen-utf8", configuration: {} } : { name: "bytes", ...bytes },
      ...compressorsV3(compression, array.itemBytes),
    ];
    const sharded = this.#isSharded(array.dtype, chunks.length);
    const index = [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }];
    const configuration = {
      chunk_shape: chunks,
      codecs,
      index_codecs: index,
      index_location: "end",
    };
    const outer = sharded ? [chunks[0]! * SHARD_CHUNKS, ...chunks.slice(1)] : chunks;
    return {
      zarr_format: 3,
      node_type: "array",
      shape: array.shape,
      data_type: dataType(array.dtype, array.data, 3),
      chunk_grid: { name: "regular", configuration: { chunk_shape: outer } },
      chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
      fill_value: fillValue(array.dtype, array.itemBytes),
      codecs: sharded ? [{ name: "sharding_indexed", configuration }] : codecs,
      storage_transformers: [],
    };
  }

  /** Writes the metadata, consolidated too. */
  async finish(): Promise<void> {
    if (this.#layout.format === 2) await this.#finishV2();
    else await this.#finishV3();
  }

  async #finishV2(): Promise<void> {
    const metadata: Record<string, unknown> = {};
    for (const [path, { attributes, array }] of this.#nodes) {
      metadata[join(path, array ? ".zarray" : ".zgroup")] = array ?? { zarr_format: 2 };
      metadata[join(path, ".zattrs")] = attributes;
    }
    for (const [key, json] of Object.entries(metadata)) await this.#put(key, json);
    await this.#put(".zmetadata", { zarr_consolidated_format: 1, metadata });
  }

  async #finishV3(): Promise<void> {
    const group = { zarr_format: 3, node_type: "group" };
    const metadata: Record<string, unknown> = {};
    for (const [path, { attributes, array }] of this.#nodes) {
      if (path !== "") metadata[path] = { ...array ?? group, attributes };
    }
    for (const [path, json] of Object.entries(metadata)) {
      await this.#put(join(path, "zarr.json"), json);
    }
    const consolidated = { kind: "inline", must_understand: false, metadata };
    const { attributes } = this.#nodes.get("")!;
    await this.#put("zarr.json", { ...group, attributes, consolidated_metadata: consolidated });
  }

  async #put(key: string, json: unknown): Promise<void> {
    const text = JSON.stringify(json, null, 2);
    await this.#sink.set(key, new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>);
  }
}
