/** h5wasm in a page or worker: its files lie in memory. */
import type { Hdf5Library } from "./hdf5_library.ts";

const PLUGIN_FOLDER = "/plugins";

let loaded: Promise<Hdf5Library> | undefined;

/** The library over a file system in memory, loaded once. */
export function loadHdf5(): Promise<Hdf5Library> {
  return loaded ??= load();
}

async function load(): Promise<Hdf5Library> {
  const { ready } = await import("h5wasm");
  const module = await ready;
  module.FS.mkdirTree(PLUGIN_FOLDER);
  module.insert_plugin_search_path(PLUGIN_FOLDER, 0);
  const plugins = new Map<string, Promise<boolean>>();
  return {
    module,
    provideFilter(plugin) {
      const known = plugins.get(plugin) ?? fetchPlugin(module, plugin);
      plugins.set(plugin, known);
      return known;
    },
  };
}

/**
 * Fetches one plugin of h5wasm-plugins into the folder that the library searches. In a bundle the package's address is
 * the bundle's own, so a page serves the package's folder `plugins` beside its bundle.
 */
async function fetchPlugin(module: Hdf5Library["module"], plugin: string): Promise<boolean> {
  const { base_url } = await import("h5wasm-plugins");
  const bundled = base_url.endsWith(".js");
  const file = `libH5Z${plugin}.so`;
  try {
    const answer = await fetch(new URL(`plugins/${file}`, bundled ? base_url : `${base_url}/`));
    if (!answer.ok) return false;
    module.FS.writeFile(`${PLUGIN_FOLDER}/${file}`, new Uint8Array(await answer.arrayBuffer()));
    return true;
  } catch {
    return false;
  }
}
