/** A cache in a folder of the server. */
import type { ByteCache } from "./cached_store.ts";

/**
 * A cache in a folder, which is made where it is not there; several processes may share it.
 *
 * @param path Path of the folder.
 * @returns The cache.
 */
export function directoryCache(path: string): ByteCache {
  const fileOf = async (key: string) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
    const name = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
    return { folder: `${path}/${name.slice(0, 2)}`, name: name.slice(2) };
  };
  return {
    async get(key) {
      const { folder, name } = await fileOf(key);
      try {
        return await Deno.readFile(`${folder}/${name}`);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    async put(key, bytes) {
      const { folder, name } = await fileOf(key);
      await Deno.mkdir(folder, { recursive: true });
      // A file has its name when it is whole; one that a crash cut short is noticed by its length.
      const temporary = `${folder}/${name}.${crypto.randomUUID()}.tmp`;
      await Deno.writeFile(temporary, bytes);
      await Deno.rename(temporary, `${folder}/${name}`);
    },
  };
}
