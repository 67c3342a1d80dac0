/** Chunks in shards: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html */
import { FormatError } from "../errors.ts";
import type { ShardLayout } from "./array_meta.ts";
import { eachAtOnce } from "./at_once.ts";
import type { Chunk, Coordinates } from "./chunk.ts";
import type { ChunkCache } from "./chunk_cache.ts";
import { type ChunkBytes, chunkKey, type FetchChunk, type StoredChunks } from "./chunk_bytes.ts";
import { type ChunkDecoder, damaged, openDecoder } from "./chunk_decoder.ts";
import type { ByteRange } from "./store.ts";

/** Bytes between two chunks that are rather fetched too than by a request more. */
const GAP = 1 << 14;

/** Bytes that are fetched at once, unless one chunk has more. */
const MOST_BYTES = 1 << 20;

/** Indices that are fetched at a time. */
const AT_ONCE = 8;

/** The index entry of a chunk that is not stored. */
const ABSENT = 2n ** 64n - 1n;

/** Chunks side by side, fetched when one of them is asked for. */
interface Run {
  readonly offset: number;
  end: number;
  /** Chunks that were not asked for yet. */
  left: number;
  bytes: Promise<Uint8Array | undefined> | undefined;
}

/** A chunk in its shard. */
interface Entry {
  readonly offset: number;
  readonly length: number;
  run?: Run;
}

/** Chunks in shards; indices are kept with the chunks decoded of late. */
export interface ShardedChunks extends StoredChunks {
  /** How chunks lie in shards. */
  readonly shards: ShardLayout;
  /** Chunks decoded of late. */
  readonly cache: ChunkCache;
}

/** Opens the index of shards. */
async function openIndex({ shards, store, path }: ShardedChunks) {
  const place = { file: store.name, key: path };
  const kind = { dataType: "uint64", shape: [...shards.counts, 2] };
  const decoder = await openDecoder(shards.index, kind, place);
  const { storedBytes: length } = decoder;
  if (length === undefined) {
    const reason = "Cannot read the shards as the length of their index is not known";
    throw new FormatError("missing-filter", reason, place);
  }
  const range: ByteRange = shards.indexFirst ? { offset: 0, length } : { suffixLength: length };
  return { decoder, range };
}

/** Offset and length of each chunk of a shard by turns; nothing where the shard is not stored. */
async function readIndex(
  { store, cache, path }: ShardedChunks,
  key: string,
  { decoder, range }: { decoder: ChunkDecoder; range: ByteRange },
): Promise<BigUint64Array> {
  const { data } = await cache.get(`index of ${key}`, async () => {
    try {
      const bytes = await store.get(key, range);
      const none = { data: new BigUint64Array(0), stride: [] };
      return bytes === undefined ? none : await decoder.decode(bytes) as Chunk;
    } catch (cause) {
      throw damaged(cause, `the index of the shard ${key}`, { file: store.name, key: path });
    }
  });
  return data as BigUint64Array;
}

/** The entry of a chunk; undefined where it is not stored. */
function entryOf(index: BigUint64Array, counts: Coordinates, at: Coordinates): Entry | undefined {
  const number = at.reduce((sum, k, axis) => sum * counts[axis]! + k % counts[axis]!, 0);
  const [offset = ABSENT, length = ABSENT] = index.subarray(2 * number, 2 * number + 2);
  if (offset === ABSENT && length === ABSENT) return undefined;
  return { offset: Number(offset), length: Number(length) };
}

/** Gathers chunks side by side. */
function joinRuns(entries: Iterable<Entry>): void {
  let run: Run | undefined;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const end = entry.offset + entry.length;
    const near = run !== undefined && entry.offset <= run.end + GAP &&
      end - run.offset <= MOST_BYTES;
    if (!near) run = { offset: entry.offset, end, left: 0, bytes: undefined };
    run!.end = Math.max(run!.end, end);
    run!.left++;
    entry.run = run!;
  }
}

/** Wanted chunks by their shard. */
function byShard(chunks: ShardedChunks, wanted: readonly Coordinates[]): [string, Coordinates[]][] {
  const { counts } = chunks.shards;
  const shardOf = (at: Coordinates) => at.map((k, axis) => Math.floor(k / counts[axis]!));
  return [...Map.groupBy(wanted, (at) => chunkKey(chunks, shardOf(at)))];
}

/** A chunk that was found. */
interface Found {
  readonly key: string;
  readonly entry: Entry;
}

/** Chunks in shards. */
export async function shardedChunks(chunks: ShardedChunks): Promise<ChunkBytes> {
  const index = await openIndex(chunks);
  const find = async (wanted: readonly Coordinates[]): Promise<FetchChunk> => {
    const found = new Map<string, Found | undefined>();
    await eachAtOnce(byShard(chunks, wanted), AT_ONCE, async ([key, inside]) => {
      const places = await readIndex(chunks, key, index);
      const entries = inside.flatMap((at) => {
        const entry = entryOf(places, chunks.shards.counts, at);
        found.set(`${at}`, entry && { key, entry });
        return entry ?? [];
      });
      joinRuns(entries);
    });
    return async (at) => {
      // Whoever thought a chunk to be in memory may come too late.
      if (!found.has(`${at}`)) return await (await find([at]))(at);
      const place = found.get(`${at}`);
      return place && await fetchEntry(chunks, place);
    };
  };
  return { find };
}

/** The bytes of a chunk out of those that lie around it. */
async function fetchEntry(
  { store }: ShardedChunks,
  { key, entry: { offset, length, run } }: Found,
): Promise<Uint8Array> {
  const range = { offset: run!.offset, length: run!.end - run!.offset };
  const fetching = run!.bytes ??= store.get(key, range);
  if (--run!.left <= 0) run!.bytes = undefined; // nobody else waits for them
  const bytes = await fetching;
  if (bytes === undefined) throw new RangeError("its shard is gone");
  const at = offset - range.offset;
  return bytes.subarray(at, at + length);
}
