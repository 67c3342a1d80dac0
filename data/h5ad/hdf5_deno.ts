/** h5wasm on a server: reads and writes files by path without loading them. */
import type { Hdf5Library } from "./hdf5.ts";
import type { SyncReader } from "./hdf5_pages.ts";

let loaded: Promise<Hdf5Library> | undefined;

/** The library over the server's file system, loaded once. */
export function loadHdf5(): Promise<Hdf5Library> {
  return loaded ??= load();
}

async function load(): Promise<Hdf5Library> {
  const h5 = await import("h5wasm/node");
  const module = await h5.ready;
  let plugins: Promise<string> | undefined;
  return {
    h5,
    module,
    async provideFilter(plugin) {
      plugins ??= addPluginFolder(module);
      const folder = await plugins;
      return module.FS.analyzePath(`${folder}/libH5Z${plugin}.so`, true).exists;
    },
  };
}

/** Lets the library search the folder of the plugin package. */
async function addPluginFolder(module: Hdf5Library["module"]): Promise<string> {
  const { base_url } = await import("h5wasm-plugins");
  const folder = decodeURIComponent(new URL(`${base_url}/plugins`).pathname);
  module.insert_plugin_search_path(folder, 0);
  return folder;
}

/** A reader of a file of the server. */
export function fileReader(path: string): SyncReader {
  const file = Deno.openSync(path);
  return {
    size: file.statSync().size,
    most: 1 << 20,
    read(offset, length) {
      file.seekSync(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const count = file.readSync(bytes.subarray(filled));
        if (count === null) throw new RangeError(`Cannot read ${path} as it was cut meanwhile`);
        filled += count;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
