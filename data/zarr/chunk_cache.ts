import type { Chunk } from "./chunk.ts";

/** Bytes of decoded chunks that are kept. */
const MOST_BYTES = 1 << 26;

/** Bytes that a text is counted as. */
const TEXT_BYTES = 48;

/** Bytes of a chunk in memory, about. */
function bytesOf({ data }: Chunk): number {
  return Array.isArray(data) ? data.length * TEXT_BYTES : data.byteLength;
}

/** The chunks of a store that were decoded last, so that reading on within one does not decode it again. */
export class ChunkCache {
  readonly #chunks = new Map<string, Promise<Chunk>>();
  readonly #bytes = new Map<string, number>();
  #total = 0;

  /** Whether a chunk is there, or on its way. */
  has(key: string): boolean {
    return this.#chunks.has(key);
  }

  /** The chunk under a key; a failure is not kept. */
  async get(key: string, load: () => Promise<Chunk>): Promise<Chunk> {
    const known = this.#chunks.get(key);
    if (known !== undefined) {
      this.#chunks.delete(key); // the last used stands last
      this.#chunks.set(key, known);
      return await known;
    }
    const loading = load();
    this.#chunks.set(key, loading);
    try {
      const chunk = await loading;
      this.#bytes.set(key, bytesOf(chunk));
      this.#total += bytesOf(chunk);
      this.#shrink(key);
      return chunk;
    } catch (error) {
      this.#chunks.delete(key);
      throw error;
    }
  }

  /** Drops the chunks used longest ago, but not the one of `keep`. */
  #shrink(keep: string): void {
    for (const [key] of this.#chunks) {
      if (this.#total <= MOST_BYTES) return;
      const bytes = this.#bytes.get(key);
      if (key === keep || bytes === undefined) continue; // undefined: still being decoded
      this.#chunks.delete(key);
      this.#bytes.delete(key);
      this.#total -= bytes;
    }
  }
}
