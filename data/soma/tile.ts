/** Tiles: the unit that data are filtered in. A tile is a list of chunks, each with what its filters noted. */
import { FormatError } from "../errors.ts";
import { ByteReader, corrupt, type Place } from "./bytes.ts";
import { datatypeOf } from "./datatype.ts";
import { readPipeline } from "./filters/pipeline.ts";
import { type FilterContext, unfilter } from "./filters/unfilter.ts";
import { prepareZstd } from "./filters/zstd.ts";

/** How much a tile may unpack to. */
export interface TileLimits {
  /** Bytes that must come out, where they are known. */
  readonly expected?: number;
  /** Most bytes that may come out. */
  readonly limit: number;
  /** Number of texts whose bounds the filters keep. */
  readonly texts?: number;
}

/** An unpacked tile. */
export interface UnpackedTile {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Starts of its texts, where the filters keep them. */
  readonly starts: Float64Array<ArrayBuffer> | undefined;
}

/** A chunk as it lies in a file. */
interface StoredChunk {
  readonly length: number;
  readonly notes: Uint8Array;
  readonly data: Uint8Array;
}

/** Throws `FormatError` "memory" where more bytes are needed than are allowed. */
export function checkMemory(bytes: number, limit: number, place: Place): void {
  if (bytes <= limit) return;
  throw new FormatError(
    "memory",
    `Cannot read data as they take ${bytes} bytes of memory and maxMemory is ${limit}`,
    place,
  );
}

/** Reads the chunks and checks that their lengths fit the bytes and the limits; returns the sum of what they unpack to. */
function readChunks(stored: Uint8Array, place: Place, limits: TileLimits): [StoredChunk[], number] {
  const reader = new ByteReader(stored, place, { what: "a tile" });
  const count = reader.count(reader.u64(), 12);
  let total = 0;
  const chunks = Array.from({ length: count }, (): StoredChunk => {
    const [length, filtered, noted] = [reader.u32(), reader.u32(), reader.u32()];
    total += length;
    return { length, notes: reader.bytes(noted), data: reader.bytes(filtered) };
  });
  const { expected, limit } = limits;
  if (expected !== undefined && total !== expected) {
    throw corrupt(`Cannot read a tile as ${expected} bytes must come out: it says ${total}`, place);
  }
  checkMemory(total, limit, place);
  return [chunks, total];
}

/**
 * Unpacks a tile.
 *
 * @param stored The bytes of the tile.
 * @param context The field that it is of.
 * @param options Limits, and the place for messages.
 */
export async function unpackTile(
  stored: Uint8Array,
  context: FilterContext,
  options: TileLimits & { readonly place: Place },
): Promise<UnpackedTile> {
  const { place, texts } = options;
  const [chunks, total] = readChunks(stored, place, options);
  await prepareZstd();
  const bytes = new Uint8Array(total);
  const strings = texts === undefined
    ? undefined
    : { starts: new Float64Array(texts), count: 0, base: 0 };
  let at = 0;
  for (const { length, notes, data } of chunks) {
    if (strings) strings.base = at;
    const unpacked = unfilter({ notes, data }, context, { length, place, strings });
    bytes.set(unpacked instanceof Promise ? await unpacked : unpacked, at);
    at += length;
  }
  if (strings && strings.count !== texts) {
    throw corrupt(`Cannot read a tile as it must have ${texts} texts: got ${strings.count}`, place);
  }
  return { bytes, starts: strings?.starts };
}

/** A generic tile with its header: schemas, metadata, R-trees and the like. Its bytes start at `offset` of `file`. */
export async function unpackGenericTile(
  file: Uint8Array,
  options: { readonly place: Place; readonly limit: number; readonly offset?: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { place, limit, offset = 0 } = options;
  const reader = new ByteReader(file.subarray(offset), place, {
    what: "a tile's header",
    base: offset,
  });
  const version = reader.u32();
  const [persisted, expected] = [reader.u64(), reader.u64()];
  const type = datatypeOf(reader.u8(), place);
  const cellSize = reader.u64();
  if (reader.u8() !== 0) {
    throw new FormatError("missing-filter", "Cannot read data as they are encrypted", place);
  }
  const pipeline = new ByteReader(reader.bytes(reader.u32()), place, { what: "filters of a tile" });
  const context = { filters: readPipeline(pipeline, version), type, cellSize, version };
  const stored = reader.bytes(persisted);
  checkMemory(expected, limit, place);
  return (await unpackTile(stored, context, { expected, limit, place })).bytes;
}
