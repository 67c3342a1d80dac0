/** h5wasm on a server: reads and writes files by path without loading them. */
import type { Hdf5Library } from "./hdf5_library.ts";

let loaded: Promise<Hdf5Library> | undefined;

/** The library over the server's file system, loaded once. */
export function loadHdf5(): Promise<Hdf5Library> {
  return loaded ??= load();
}

async function load(): Promise<Hdf5Library> {
  const { ready } = await import("h5wasm/node");
  const module = await ready;
  let plugins: Promise<string> | undefined;
  return {
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
