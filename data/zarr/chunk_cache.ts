import type { Chunk } from "./chunk.ts";

/** Bytes of decoded chunks that are kept. */
const MOST_BYTES = 1 << 26;

/** Bytes of all of them above which those go that were read to the end, as whoever reads on does not need them. */
const ENOUGH_BYTES = 1 << 24;

/** Bytes that a text is counted as. */
const TEXT_BYTES = 48;

/** Bytes of a chunk in memory, about. */
function bytesOf({ data }: Chunk): number {
  return Array.isArray(data) ? data.length * TEXT_BYTES : data.byteLength;
}

/** A chunk that is kept. */
interface Kept {
  readonly bytes: number;
  /** Elements that nobody read yet. */
  unread: number;
}

/** The chunks of a store that were decoded last, so that reading on within one does not decode it again. */
export class ChunkCache {
  readonly #chunks = new Map<string, Promise<Chunk>>();
  readonly #kept = new Map<string, Kept>();
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
      this.#kept.set(key, { bytes: bytesOf(chunk), unread: chunk.data.length });
      this.#total += bytesOf(chunk);
      this.#shrink(key);
      return chunk;
    } catch (error) {
      this.#chunks.delete(key);
      throw error;
    }
  }

  /** Says that elements of a chunk were read. */
  took(key: string, count: number): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined) kept.unread -= count;
  }

  /** Drops the chunks used longest ago, but not the one of `keep`: first those that were read to the end. */
  #shrink(keep: string): void {
    for (const [most, read] of [[ENOUGH_BYTES, true], [MOST_BYTES, false]] as const) {
      for (const [key] of this.#chunks) {
        if (this.#total <= most) break;
        const kept = this.#kept.get(key);
        if (key === keep || kept === undefined || read && kept.unread > 0) continue; // undefined: still being decoded
        this.#chunks.delete(key);
        this.#kept.delete(key);
        this.#total -= kept.bytes;
      }
    }
  }
}
