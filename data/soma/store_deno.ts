/** A store in a folder of the server. */
import { joinPath, type Store, type StoreEntry } from "./store.ts";

/**
 * A store in a folder.
 *
 * @param path Path or `file:` address of the folder.
 * @returns The store.
 */
export function directoryStore(path: string | URL): Store {
  const root = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const base = root.replace(/\/+$/, "") || "/";
  return {
    name: base,
    async list(folder, options = {}) {
      options.signal?.throwIfAborted();
      const entries: StoreEntry[] = [];
      try {
        for await (const { name, isDirectory } of Deno.readDir(`${base}/${folder}`)) {
          const size = isDirectory
            ? 0
            : (await Deno.stat(`${base}/${joinPath(folder, name)}`)).size;
          entries.push({ name, kind: isDirectory ? "folder" : "file", size });
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      return entries;
    },
    async read(file, { offset, length, signal }) {
      signal?.throwIfAborted();
      using handle = await Deno.open(`${base}/${file}`);
      await handle.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        signal?.throwIfAborted();
        const count = await handle.read(bytes.subarray(filled));
        if (count === null) {
          throw new RangeError(
            `Cannot read ${length} bytes at ${offset} as ${base}/${file} has ${
              offset + filled
            } bytes`,
          );
        }
        filled += count;
      }
      return bytes;
    },
  };
}
