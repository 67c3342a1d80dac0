/** Where the bytes of chunks are: each under its own key, or many in a shard. */
import type { ChunkLayout } from "./array_meta.ts";
import type { Coordinates } from "./chunk.ts";
import { join } from "./hierarchy.ts";
import type { ZarrStore } from "./store.ts";

/** Fetches the bytes of a chunk; undefined where it is not stored. */
export type FetchChunk = (coordinates: Coordinates) => Promise<Uint8Array | undefined>;

/** Finds chunks. */
export interface ChunkBytes {
  /** Finds several chunks, so that those side by side can be fetched at once. */
  find(wanted: readonly Coordinates[]): Promise<FetchChunk>;
}

/** An array whose chunks are looked for. */
export interface StoredChunks {
  /** The store. */
  readonly store: ZarrStore;
  /** Path of the array. */
  readonly path: string;
  /** How its chunks are stored. */
  readonly layout: ChunkLayout;
}

/** Key of a chunk or of a shard. */
export function chunkKey({ path, layout }: StoredChunks, coordinates: Coordinates): string {
  const { prefix, separator } = layout.names;
  const parts = prefix === "" ? coordinates : [prefix, ...coordinates];
  return join(path, parts.join(separator) || "0");
}

/** Chunks that each have a key. */
export function plainChunks(chunks: StoredChunks): ChunkBytes {
  const fetch: FetchChunk = (coordinates) => chunks.store.get(chunkKey(chunks, coordinates));
  return { find: () => Promise.resolve(fetch) };
}
