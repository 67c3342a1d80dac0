/** Reading blocks of zarr arrays chunk by chunk. */
import { isZarritaError, open, root } from "zarrita";
import { FormatError } from "../errors.ts";
import { VALUE_ARRAYS } from "../numbers.ts";
import type { ArrayData, Dtype, Range, RawArray } from "../storage.ts";
import type { ArrayMeta } from "./array_meta.ts";
import { missingCodecs, registerCodecs } from "./codecs.ts";
import type { ChunkCache } from "./chunk_cache.ts";
import type { ByteRange, ZarrStore } from "./store.ts";
import { splitRows } from "./struct.ts";

/** Chunks that are fetched and decoded at a time. */
const AT_ONCE = 8;

/** Elements of a chunk and the distance of neighbours along each axis. */
export interface Chunk {
  /** The elements. */
  readonly data: RawArray | string[];
  /** Strides in elements. */
  readonly stride: readonly number[];
}

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

/** Decoder of chunks by their coordinates. */
type GetChunk = (coordinates: number[]) => Promise<{ data: unknown; stride: readonly number[] }>;

/** The store as zarrita sees it: this array alone, under metadata that it understands. */
function viewOf({ store, path, meta }: ArraySource) {
  // The rows of a structured type are an axis more for zarrita, which the names of its chunks do not have.
  const chunkName = (name: string) =>
    meta.struct === undefined || (name === "/0" && meta.shape.length === 0)
      ? name
      : name.replace(/[./]0$/, "");
  const key = (name: string) => `${path === "" ? "" : `${path}/`}${chunkName(name).slice(1)}`;
  const metadata = new TextEncoder().encode(JSON.stringify(meta.json));
  const codecs = meta.json["codecs"] as { configuration?: { index_location?: string } }[];
  const indexFirst = codecs.some(({ configuration }) => configuration?.index_location === "start");
  return {
    get: (name: string) => name === "/zarr.json" ? Promise.resolve(metadata) : store.get(key(name)),
    getRange(name: string, range: ByteRange) {
      // zarrita looks for the index of a shard at its end.
      const part = indexFirst && "suffixLength" in range
        ? { offset: 0, length: range.suffixLength }
        : range;
      return store.get(key(name), part);
    },
  };
}

/** Opens an array for reading; refuses one whose codecs are not there. */
export async function openChunks(source: ArraySource): Promise<GetChunk> {
  const { meta, path, store } = source;
  registerCodecs();
  const [missing] = missingCodecs(meta.json["codecs"]);
  if (missing !== undefined) {
    throw new FormatError(
      "missing-filter",
      `Cannot read the array as the codec ${missing} is not available here: write the store with zstd, blosc or gzip`,
      { file: store.name, key: path },
    );
  }
  const array = await open.v3(root(viewOf(source)), { kind: "array" });
  return (coordinates) => array.getChunk(coordinates);
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

/** Chunks and elements as they are decoded: a structured type is one more axis of bytes. */
function elementsOf({ chunks, dtype, struct }: ArrayMeta): Pick<ArrayMeta, "chunks" | "dtype"> {
  if (struct === undefined) return { chunks, dtype };
  return { chunks: [...chunks, struct.size], dtype: { kind: "numeric", name: "uint8" } };
}

/** Decodes one chunk; throws where it is damaged or does not have the elements it must have. */
async function decodeChunk(
  source: ArraySource,
  getChunk: GetChunk,
  coordinates: number[],
): Promise<Chunk> {
  const place = { file: source.store.name, key: source.path };
  const act = `Cannot read chunk ${coordinates.join(".") || "0"} of the array as`;
  const { chunks, dtype } = elementsOf(source.meta);
  try {
    const { data, stride } = await getChunk(coordinates);
    const plain = plainData(data, dtype);
    const count = chunks.reduce((product, length) => product * length, 1);
    if (plain.length === count) return { data: plain, stride };
    throw new RangeError(`it must have ${count} elements: it has ${plain.length}`);
  } catch (cause) {
    const damaged = cause instanceof RangeError || cause instanceof SyntaxError ||
      isZarritaError(cause, "CodecPipelineError");
    if (!damaged) throw cause;
    const reason = isZarritaError(cause, "CodecPipelineError")
      ? `it is damaged: ${cause.codec} says ${messageOf(cause.cause)}`
      : (cause as Error).message;
    throw new FormatError("value", `${act} ${reason}`, { ...place, cause });
  }
}

/** What an error says; C++ code throws things that are no errors. */
function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "nothing more";
}

/** Coordinates of the chunks that a block touches, in row-major order. */
function* touched(block: readonly Range[], chunks: readonly number[]): Generator<number[]> {
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

/** The room for a block. */
function allocate(dtype: Dtype, count: number, source: ArraySource): RawArray | string[] {
  if (count > MOST_ELEMENTS) {
    throw new FormatError(
      "value",
      `Cannot read the array at once as it must have at most ${MOST_ELEMENTS} elements: got ${count}`,
      { file: source.store.name, key: source.path },
    );
  }
  if (dtype.kind === "string") return new Array<string>(count);
  if (dtype.kind === "bool") return new Uint8Array(count);
  if (dtype.kind !== "numeric") throw new TypeError(`Cannot allocate elements of ${dtype.kind}`);
  return new VALUE_ARRAYS[dtype.name](count);
}

/** A run of elements along the last axis. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly step: number;
}

/** Copies one run. */
function copyRun(target: RawArray | string[], data: RawArray | string[], run: Run): void {
  if (run.step === 1 && !Array.isArray(target) && !Array.isArray(data)) {
    target.set(data.subarray(run.from, run.from + run.count) as never, run.to);
    return;
  }
  for (let k = 0; k < run.count; k++) target[run.to + k] = data[run.from + k * run.step]!;
}

/** Copies what a chunk and a block have in common into the block. */
function copyChunk(
  target: RawArray | string[],
  chunk: Chunk & { coordinates: readonly number[] },
  { block, chunks }: { block: readonly Range[]; chunks: readonly number[] },
): void {
  const rank = block.length;
  const common = block.map(([start, end], axis) => {
    const origin = chunk.coordinates[axis]! * chunks[axis]!;
    return { origin, start: Math.max(start, origin), end: Math.min(end, origin + chunks[axis]!) };
  });
  const copy = (axis: number, from: number, to: number): void => {
    const { origin, start, end } = common[axis]!;
    const outer = block.slice(axis + 1).reduce((product, [a, b]) => product * (b - a), 1);
    const first = from + (start - origin) * chunk.stride[axis]!;
    const place = to + (start - block[axis]![0]) * outer;
    if (axis === rank - 1) {
      const step = chunk.stride[axis]!;
      return copyRun(target, chunk.data, { from: first, to: place, count: end - start, step });
    }
    for (let k = 0; k < end - start; k++) {
      copy(axis + 1, first + k * chunk.stride[axis]!, place + k * outer);
    }
  };
  if (rank === 0) target[0] = chunk.data[0]!;
  else copy(0, 0, 0);
}

/** Reads a block: one range an axis. */
export async function readBlock(
  source: ArraySource,
  getChunk: GetChunk,
  ranges: readonly Range[],
): Promise<ArrayData> {
  const { struct } = source.meta;
  const { chunks, dtype } = elementsOf(source.meta);
  const block = struct === undefined ? ranges : [...ranges, [0, struct.size] as const];
  const count = block.reduce((product, [start, end]) => product * (end - start), 1);
  const target = allocate(dtype, count, source);
  const queue = touched(block, chunks);
  const work = async (): Promise<void> => {
    for (const coordinates of queue) {
      const chunk = await source.cache.get(
        `${source.path}/${coordinates}`,
        () => decodeChunk(source, getChunk, coordinates),
      );
      copyChunk(target, { ...chunk, coordinates }, { block, chunks });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return struct === undefined ? target : splitRows(target as Uint8Array, struct);
}
