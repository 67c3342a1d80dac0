/** Reading blocks of zarr arrays chunk by chunk. */
import { FormatError } from "../errors.ts";
import { VALUE_ARRAYS } from "../numbers.ts";
import type { ArrayData, Dtype, Range, RawArray } from "../storage.ts";
import type { ArrayMeta, ChunkLayout } from "./array_meta.ts";
import { eachAtOnce } from "./at_once.ts";
import { type Chunk, type Coordinates, stridesOf } from "./chunk.ts";
import { type ChunkBytes, type FetchChunk, plainChunks } from "./chunk_bytes.ts";
import type { ChunkCache } from "./chunk_cache.ts";
import { type ChunkDecoder, damaged, openDecoder } from "./chunk_decoder.ts";
import { copyChunk } from "./copy_chunk.ts";
import { shardedChunks } from "./shards.ts";
import type { ZarrStore } from "./store.ts";
import { splitRows } from "./struct.ts";

/** Chunks that are fetched and decoded at a time. */
const AT_ONCE = 8;

/** Chunks that are looked for at a time. */
const LOOKED_FOR = 1024;

/** An array that blocks are read from. */
export interface ArraySource {
  /** The store. */
  readonly store: ZarrStore;
  /** Path of the array. */
  readonly path: string;
  /** What its metadata mean. */
  readonly meta: ArrayMeta;
  /** Chunks decoded of late. */
  readonly cache: ChunkCache;
}

/** An array whose chunks can be decoded. */
export interface OpenArray extends ArraySource {
  /** How chunks are stored. */
  readonly layout: ChunkLayout;
  /** Finds chunks. */
  readonly bytes: ChunkBytes;
  /** Decodes chunks. */
  readonly decoder: ChunkDecoder;
}

/** Opens an array for reading; refuses one whose codecs are not there. */
export async function openArray(source: ArraySource): Promise<OpenArray> {
  const { meta: { layout, dtype }, path, store, cache } = source;
  const place = { file: store.name, key: path };
  if (layout === undefined || dtype.kind === "unsupported") {
    const found = dtype.kind === "unsupported" ? dtype.name : dtype.kind;
    throw new FormatError("encoding", `Cannot read the array as its type is ${found}`, place);
  }
  const { shards } = layout;
  if (shards !== undefined && shards.around.length > 0) {
    const names = shards.around.map(({ name }) => name).join(", ");
    const reason =
      `Cannot read the array as codecs of whole shards are not available here: ${names}`;
    throw new FormatError("missing-filter", reason, place);
  }
  const decoder = await openDecoder(layout.codecs, layout, place);
  const chunks = { store, path, layout, cache };
  const bytes = shards === undefined
    ? plainChunks(chunks)
    : await shardedChunks({ ...chunks, shards });
  return { ...source, layout, bytes, decoder };
}

/** numpy's half precision as single, truth values as bytes, texts as a list. */
function plainData(data: unknown, dtype: Dtype): RawArray | string[] {
  if (dtype.kind === "string") return Array.isArray(data) ? data : Array.from(data as string[]);
  if (dtype.kind === "bool") {
    const { buffer, byteOffset, length } = data as Uint8Array<ArrayBuffer>;
    return new Uint8Array(buffer, byteOffset, length);
  }
  if (dtype.kind === "numeric" && dtype.name === "float16") {
    return Float32Array.from(data as ArrayLike<number>);
  }
  return data as RawArray;
}

/** The type of elements as they are decoded: a structured type is one more axis of bytes. */
function elementType({ dtype, struct }: ArrayMeta): Dtype {
  return struct === undefined ? dtype : { kind: "numeric", name: "uint8" };
}

/** A chunk that is not stored. */
function filledChunk({ layout, meta }: OpenArray): Chunk {
  const count = layout.shape.reduce((product, length) => product * length, 1);
  const data = allocate(elementType(meta), count);
  data.fill(layout.fill() as never);
  return { data, stride: stridesOf(layout.shape) };
}

/** Decodes one chunk; throws where it is damaged or does not have the elements it must have. */
async function readChunk(array: OpenArray, fetch: FetchChunk, at: Coordinates): Promise<Chunk> {
  const { decoder, layout, meta, store, path } = array;
  try {
    const bytes = await fetch(at);
    if (bytes === undefined) return filledChunk(array);
    const { data, stride } = await decoder.decode(bytes);
    const plain = plainData(data, elementType(meta));
    const count = layout.shape.reduce((product, length) => product * length, 1);
    if (plain.length === count) return { data: plain, stride };
    throw new RangeError(`it must have ${count} elements: it has ${plain.length}`);
  } catch (cause) {
    throw damaged(cause, `chunk ${at.join(".") || "0"} of the array`, {
      file: store.name,
      key: path,
    });
  }
}

/** Coordinates of the chunks that a block touches, in row-major order. */
function* touched(block: readonly Range[], chunks: readonly number[]): Generator<Coordinates> {
  if (block.some(([start, end]) => start === end)) return;
  const first = block.map(([start], axis) => Math.floor(start / chunks[axis]!));
  const last = block.map(([, end], axis) => Math.floor((end - 1) / chunks[axis]!));
  const at = [...first];
  for (;;) {
    yield [...at];
    let axis = at.length - 1;
    while (axis >= 0 && at[axis] === last[axis]) at[axis] = first[axis--]!;
    if (axis < 0) return;
    at[axis]!++;
  }
}

/** Elements that a block may have: more would not fit the memory of a program, and are a sign of a damaged shape. */
const MOST_ELEMENTS = 2 ** 31;

/** Refuses a block of too many elements. */
function checkCount(count: number, { store, path }: ArraySource): void {
  if (count <= MOST_ELEMENTS) return;
  throw new FormatError(
    "value",
    `Cannot read the array at once as it must have at most ${MOST_ELEMENTS} elements: got ${count}`,
    { file: store.name, key: path },
  );
}

/** The room for elements. */
function allocate(dtype: Dtype, count: number): RawArray | string[] {
  if (dtype.kind === "string") return new Array<string>(count);
  if (dtype.kind === "bool") return new Uint8Array(count);
  if (dtype.kind !== "numeric") throw new TypeError(`Cannot allocate elements of ${dtype.kind}`);
  return new VALUE_ARRAYS[dtype.name](count);
}

/** Name of a chunk among those decoded of late. */
function cacheKey({ path }: OpenArray, at: Coordinates): string {
  return `${path}/${at}`;
}

/** The part of a chunk that a block is, as it lies there; undefined where a block is more, or its elements do not follow one another. */
export async function sharedBlock(
  array: OpenArray,
  block: readonly Range[],
): Promise<RawArray | undefined> {
  const { layout: { shape: chunks }, cache, bytes, meta } = array;
  const [first, ...rest] = block;
  if (first === undefined || first[0] === first[1] || meta.struct !== undefined) return undefined;
  const at = block.map(([start], axis) => Math.floor(start / chunks[axis]!));
  const [from, to] = first.map((row) => row - at[0]! * chunks[0]!) as [number, number];
  const whole = rest.every(([start, end], k) =>
    start === at[k + 1]! * chunks[k + 1]! && end - start === chunks[k + 1]!
  );
  if (to > chunks[0]! || !whole) return undefined;
  const key = cacheKey(array, at);
  const load = async () => await readChunk(array, await bytes.find([at]), at);
  const { data, stride } = await cache.get(key, load);
  const inOrder = stridesOf(chunks).every((step, axis) => step === stride[axis]);
  if (Array.isArray(data) || !inOrder) return undefined;
  const part = data.subarray(from * stride[0]!, to * stride[0]!) as RawArray;
  cache.took(key, part.length);
  return part;
}

/** Reads a block: one range an axis. */
export async function readBlock(array: OpenArray, ranges: readonly Range[]): Promise<ArrayData> {
  const { cache, meta, bytes, layout: { shape: chunks } } = array;
  const { struct } = meta;
  const block = struct === undefined ? ranges : [...ranges, [0, struct.size] as const];
  const count = block.reduce((product, [start, end]) => product * (end - start), 1);
  checkCount(count, array);
  const target = allocate(elementType(meta), count);
  for (const group of groups(touched(ranges, chunks), LOOKED_FOR)) {
    const fetch = await bytes.find(group.filter((at) => !cache.has(cacheKey(array, at))));
    await eachAtOnce(group, AT_ONCE, async (at) => {
      const key = cacheKey(array, at);
      const chunk = await cache.get(key, () => readChunk(array, fetch, at));
      const coordinates = struct === undefined ? at : [...at, 0];
      cache.took(key, copyChunk(target, { chunk: { ...chunk, coordinates }, block, chunks }));
    });
  }
  return struct === undefined ? target : splitRows(target as Uint8Array, struct);
}

/** Items in groups of some. */
function* groups<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
