/** Stores whose bytes are kept, for releases that never change. */
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import { checkFileRange, type FileRange, type Store, type StoreEntry } from "./store.ts";

/** Where bytes are kept by key. */
export interface ByteCache {
  /** The bytes of a key; undefined where there are none. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps bytes. */
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Bytes of a block: what is read is kept in whole blocks, so that later ranges find it. */
const BLOCK = 1 << 18;

/**
 * A store that keeps what is read of another one, and reads it again from there for ever: for stores that never change.
 * What cannot be kept (a full disk, a page's quota) is read again.
 *
 * @param store The store.
 * @param cache Where its bytes are kept: {@linkcode directoryCache}, {@linkcode pageCache} or another.
 * @returns The store with the cache in front.
 *
 * @example Bytes are read once
 * ```ts
 * import assert from "node:assert/strict";
 * import { cachedStore, memoryStore } from "@scgpt/sdk/data/soma";
 *
 * const kept = new Map<string, Uint8Array<ArrayBuffer>>();
 * const cache = {
 *   get: (key: string) => Promise.resolve(kept.get(key)),
 *   put: (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise.resolve(void kept.set(key, bytes)),
 * };
 * const files = new Map([["file", Uint8Array.of(1, 2, 3)]]);
 * const store = cachedStore(memoryStore(files), { cache });
 * await store.read("file", { offset: 0, length: 3 });
 * files.delete("file");
 * assert.deepEqual([...await store.read("file", { offset: 1, length: 2 })], [2, 3]);
 * ```
 */
export function cachedStore(store: Store, options: { readonly cache: ByteCache }): Store {
  checkOptions("keep a store", options, ["cache"]);
  return new CachedStore(store, options.cache);
}

class CachedStore implements Store {
  readonly name: string;
  readonly #store: Store;
  readonly #cache: ByteCache;

  constructor(store: Store, cache: ByteCache) {
    this.name = store.name;
    this.#store = store;
    this.#cache = cache;
  }

  async list(
    path: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<StoreEntry[]> {
    const key = `${this.name}/${path}?list`;
    const kept = await this.#cache.get(key);
    const known = kept && parseEntries(kept);
    if (known !== undefined) return known;
    const entries = await this.#store.list(path, options);
    await this.#put(key, new TextEncoder().encode(JSON.stringify(entries)));
    return entries;
  }

  async read(path: string, range: FileRange): Promise<Uint8Array<ArrayBuffer>> {
    const { offset, length, signal } = range;
    const size = await this.#size(path, signal);
    checkFileRange(path, size, range);
    const bytes = new Uint8Array(length);
    const [first, end] = [Math.floor(offset / BLOCK), Math.ceil((offset + length) / BLOCK)];
    const copy = (block: number, content: Uint8Array) => {
      const start = Math.max(offset, block * BLOCK);
      const stop = Math.min(offset + length, block * BLOCK + content.length);
      bytes.set(content.subarray(start - block * BLOCK, stop - block * BLOCK), start - offset);
    };
    let missing = first;
    for (let block = first; block <= end; block++) {
      const kept = block < end ? await this.#block(path, block, size) : undefined;
      if (kept !== undefined) copy(block, kept);
      if (kept === undefined && block < end) continue;
      await this.#fetch(path, { first: missing, end: block, size, signal }, copy);
      missing = block + 1;
    }
    return bytes;
  }

  /** Reads blocks that are not kept by one request, and keeps them. */
  async #fetch(
    path: string,
    run: {
      readonly first: number;
      readonly end: number;
      readonly size: number;
      readonly signal: AbortSignal | undefined;
    },
    copy: (block: number, content: Uint8Array) => void,
  ): Promise<void> {
    const { first, end, size, signal } = run;
    const offset = first * BLOCK;
    const length = Math.min(end * BLOCK, size) - offset;
    if (length <= 0) return;
    const bytes = await this.#store.read(path, { offset, length, signal });
    for (let block = first; block < end; block++) {
      const content = bytes.slice((block - first) * BLOCK, (block - first + 1) * BLOCK);
      copy(block, content);
      await this.#put(blockKey(this.name, path, block), content);
    }
  }

  /** A block that is kept whole. */
  async #block(path: string, block: number, size: number): Promise<Uint8Array | undefined> {
    const kept = await this.#cache.get(blockKey(this.name, path, block));
    return kept?.length === Math.min(BLOCK, size - block * BLOCK) ? kept : undefined;
  }

  async #size(path: string, signal: AbortSignal | undefined): Promise<number> {
    const at = path.lastIndexOf("/");
    const entries = await this.list(path.slice(0, Math.max(0, at)), { signal });
    const entry = entries.find(({ name, kind }) => kind === "file" && name === path.slice(at + 1));
    if (entry !== undefined) return entry.size;
    throw new FormatError("missing-key", "Cannot read a file as it is not there", {
      file: this.name,
      key: path,
    });
  }

  async #put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#cache.put(key, bytes);
    } catch {
      // What cannot be kept is read again.
    }
  }
}

function blockKey(store: string, path: string, block: number): string {
  return `${store}/${path}?block=${block}`;
}

/** The entries of a kept listing; undefined where it was cut off. */
function parseEntries(kept: Uint8Array): StoreEntry[] | undefined {
  try {
    const entries: unknown = JSON.parse(new TextDecoder().decode(kept));
    return Array.isArray(entries) ? entries : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A cache in a page, by its Cache API.
 *
 * @param name Name of the cache: pages of one origin that name it share it.
 * @returns The cache.
 */
export function pageCache(name: string): ByteCache {
  const address = (key: string) => `https://cache.invalid/${encodeURIComponent(key)}`;
  const opened = caches.open(name);
  opened.catch(() => {}); // told when it is used
  return {
    async get(key) {
      const answer = await (await opened).match(address(key));
      return answer && new Uint8Array(await answer.arrayBuffer());
    },
    async put(key, bytes) {
      await (await opened).put(address(key), new Response(bytes));
    },
  };
}
