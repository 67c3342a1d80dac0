import { resolveRange, type ZarrStore } from "./store.ts";

/** Undefined where there is no such file; other errors are thrown on. */
function absent(error: unknown): undefined {
  const { NotFound, NotADirectory, IsADirectory } = Deno.errors;
  const missing = [NotFound, NotADirectory, IsADirectory].some((kind) => error instanceof kind);
  if (!missing) throw error;
}

/** Whether a path is a folder; throws `Deno.errors.NotFound` where nothing is there. */
export async function isFolder(path: string): Promise<boolean> {
  return (await Deno.stat(path)).isDirectory;
}

/** A store over a folder of the server. */
export function folderStore(path: string): ZarrStore {
  const root = path.replace(/\/+$/, "");
  return {
    name: path,
    async get(key, range) {
      const at = `${root}/${key}`;
      if (range === undefined) return await Deno.readFile(at).catch(absent);
      using file = await Deno.open(at).catch(absent);
      if (file === undefined) return undefined;
      const { size } = await file.stat();
      const { offset, length } = resolveRange(range, size, key);
      await file.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const count = await file.read(bytes.subarray(filled));
        if (count === null) throw new RangeError(`Cannot read ${at} as it was cut meanwhile`);
        filled += count;
      }
      return bytes;
    },
    async list(folder) {
      const names: string[] = [];
      try {
        for await (const { name, isFile } of Deno.readDir(`${root}/${folder}`)) {
          if (!isFile) names.push(name);
        }
      } catch (error) {
        absent(error);
      }
      return names.sort();
    },
  };
}
