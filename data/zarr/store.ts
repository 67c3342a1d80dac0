/** Where a zarr hierarchy lies: bytes by key. */

/** A part of a value: some bytes from an offset, or the last ones. */
export type ByteRange =
  | { readonly offset: number; readonly length: number }
  | { readonly suffixLength: number };

/** Bytes by key; keys have no leading slash. Anything that can fetch a key can be one. */
export interface ZarrStore {
  /** Path, URL or name, for messages. */
  readonly name: string;
  /** The value of a key, or the part of it that `range` names; undefined where there is no such key. */
  get(key: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** Names directly below a folder ("" is the root); absent where the store cannot list. */
  list?(folder: string): Promise<readonly string[]>;
  /** Closes what was opened. */
  close?(): void;
}

/** The part of `size` bytes that a range names; throws `RangeError` where they do not all exist. */
export function resolveRange(
  range: ByteRange,
  size: number,
  key: string,
): { offset: number; length: number } {
  const { offset, length } = "suffixLength" in range
    ? { offset: size - range.suffixLength, length: range.suffixLength }
    : range;
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!whole || offset < 0 || length < 0 || offset + length > size) {
    throw new RangeError(
      `Cannot read ${length} bytes at ${offset} of ${key} as it has ${size} bytes`,
    );
  }
  return { offset, length };
}

/** Names directly below each folder, out of all keys. */
export function foldersOf(keys: Iterable<string>): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>([["", new Set()]]);
  for (const key of keys) {
    const parts = key.split("/");
    for (let depth = 0; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (!folders.has(folder)) folders.set(folder, new Set());
      if (parts[depth] !== "") folders.get(folder)!.add(parts[depth]!);
    }
  }
  return folders;
}

/** A store over values in memory; files are read when they are asked for. */
export function memoryStore(values: ReadonlyMap<string, Uint8Array | Blob>): ZarrStore {
  const entries = new Map([...values].map(([key, value]) => [key.replace(/^\/+/, ""), value]));
  const folders = foldersOf(entries.keys());
  return {
    name: "zarr in memory",
    async get(key, range) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      const size = value instanceof Blob ? value.size : value.byteLength;
      const { offset, length } = range === undefined
        ? { offset: 0, length: size }
        : resolveRange(range, size, key);
      return value instanceof Blob
        ? new Uint8Array(await value.slice(offset, offset + length).arrayBuffer())
        : value.subarray(offset, offset + length);
    },
    list: (folder) => Promise.resolve([...folders.get(folder) ?? []]),
  };
}

/** A store over a folder of the browser's file system: OPFS, or one that a person picked. */
export function handleStore(root: FileSystemDirectoryHandle): ZarrStore {
  const folders = new Map<string, Promise<FileSystemDirectoryHandle | undefined>>();
  const open = (folder: string): Promise<FileSystemDirectoryHandle | undefined> => {
    if (folder === "") return Promise.resolve(root);
    const at = folder.lastIndexOf("/");
    const known = folders.get(folder) ?? open(folder.slice(0, Math.max(0, at)))
      .then((parent) => parent?.getDirectoryHandle(folder.slice(at + 1)).catch(absent));
    folders.set(folder, known);
    return known;
  };
  return {
    name: root.name || "folder",
    async get(key, range) {
      const at = key.lastIndexOf("/");
      const folder = await open(key.slice(0, Math.max(0, at)));
      const handle = await folder?.getFileHandle(key.slice(at + 1)).catch(absent);
      if (handle === undefined) return undefined;
      const file = await handle.getFile();
      if (range === undefined) return new Uint8Array(await file.arrayBuffer());
      const { offset, length } = resolveRange(range, file.size, key);
      return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    },
    async list(folder) {
      const handle = await open(folder);
      const names: string[] = [];
      if (handle !== undefined) { for await (const name of handle.keys()) names.push(name); }
      return names.sort();
    },
  };
}

/** Undefined for what is not there or is of the other kind; other errors are thrown on. */
function absent(error: unknown): undefined {
  const name = error instanceof Error ? error.name : "";
  if (name !== "NotFoundError" && name !== "TypeMismatchError") throw error;
}
