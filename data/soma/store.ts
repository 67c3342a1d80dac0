/** Where the files of a SOMA store lie: the one thing that a new kind of storage has to implement. */

/** A file or folder of a {@linkcode Store}. */
export interface StoreEntry {
  /** Its name without the folders above it. */
  readonly name: string;
  /** What it is. */
  readonly kind: "file" | "folder";
  /** Length of a file in bytes; 0 for a folder. */
  readonly size: number;
}

/** Which bytes of a file to read. */
export interface FileRange {
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Files in folders that are listed and read by range. Paths have no leading slash; the root is "". */
export interface Store {
  /** Path or address of the root, for messages. */
  readonly name: string;
  /** The entries of a folder in any order; empty where there is no such folder. */
  list(
    path: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<StoreEntry[]>;
  /** Reads exactly `length` bytes; throws where they do not all exist. */
  read(path: string, range: FileRange): Promise<Uint8Array<ArrayBuffer>>;
}

/** A path in a folder. */
export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Throws `RangeError` where a range is not inside a file of `size` bytes. */
export function checkFileRange(file: string, size: number, range: FileRange): void {
  const { offset, length } = range;
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new RangeError(`Cannot read ${length} bytes at ${offset} as ${file} has ${size} bytes`);
}

/**
 * A store in memory.
 *
 * @param files Contents by path.
 * @param name Name for messages.
 * @returns The store; it sees later changes of a Map.
 *
 * @example A file in a folder
 * ```ts
 * import assert from "node:assert/strict";
 * import { memoryStore } from "@scgpt/sdk/data/soma";
 *
 * const store = memoryStore(new Map([["folder/file", Uint8Array.of(1, 2, 3)]]));
 * assert.deepEqual(await store.list("folder"), [{ name: "file", kind: "file", size: 3 }]);
 * assert.deepEqual([...await store.read("folder/file", { offset: 1, length: 2 })], [2, 3]);
 * ```
 */
export function memoryStore(
  files: ReadonlyMap<string, Uint8Array>,
  name = "store in memory",
): Store {
  return {
    name,
    list(path) {
      const prefix = path === "" ? "" : `${path}/`;
      const entries = new Map<string, StoreEntry>();
      for (const [key, bytes] of files) {
        if (!key.startsWith(prefix)) continue;
        const [first, ...rest] = key.slice(prefix.length).split("/");
        const kind = rest.length === 0 ? "file" : "folder";
        entries.set(first!, { name: first!, kind, size: kind === "file" ? bytes.length : 0 });
      }
      return Promise.resolve([...entries.values()]);
    },
    // deno-lint-ignore require-await -- so that a bad range rejects instead of throwing
    async read(path, range) {
      range.signal?.throwIfAborted();
      const bytes = files.get(path);
      if (bytes === undefined) throw new RangeError(`Cannot read ${path} of ${name}: no such file`);
      checkFileRange(path, bytes.length, range);
      return bytes.slice(range.offset, range.offset + range.length) as Uint8Array<ArrayBuffer>;
    },
  };
}
