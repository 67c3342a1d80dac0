import { writeWhole } from "../atomic_deno.ts";
import type { ZarrSink } from "./sink.ts";

/** A sink over a folder of the server; folders are made as they are needed. */
function folderSink(root: string): ZarrSink {
  const made = new Set<string>();
  return {
    async set(key, bytes) {
      const folder = `${root}/${key.slice(0, Math.max(0, key.lastIndexOf("/")))}`;
      if (!made.has(folder)) await Deno.mkdir(folder, { recursive: true });
      made.add(folder);
      await Deno.writeFile(`${root}/${key}`, bytes);
    },
  };
}

/** Lets a folder be written under a temporary name and renames it when it is whole. */
export async function writeFolder<T>(
  path: string,
  force: boolean,
  write: (sink: ZarrSink) => Promise<T>,
): Promise<T> {
  const folder = path.replace(/\/+$/, "");
  return await writeWhole(folder, async (temporary) => {
    await Deno.mkdir(temporary);
    return await write(folderSink(temporary));
  }, { force });
}
