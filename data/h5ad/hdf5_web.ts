/** h5wasm in a page or worker: its files lie in memory, in a File that a worker reads by range, or at an address. */
import type { Hdf5Library } from "./hdf5.ts";
import { PagedFile, type SyncReader } from "./hdf5_pages.ts";

const PLUGIN_FOLDER = "/plugins";

let loaded: Promise<Hdf5Library> | undefined;
let mounts = 0;

/** The library over a file system in memory, loaded once. */
export function loadHdf5(): Promise<Hdf5Library> {
  return loaded ??= load();
}

async function load(): Promise<Hdf5Library> {
  const h5 = await import("h5wasm");
  const module = await h5.ready;
  module.FS.mkdirTree(PLUGIN_FOLDER);
  module.insert_plugin_search_path(PLUGIN_FOLDER, 0);
  const plugins = new Map<string, Promise<boolean>>();
  return {
    h5,
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

/** A file made visible to the library. */
export interface MountedFile {
  /** Path in the library's file system. */
  readonly path: string;
  /** Removes it again. */
  release(): void;
  /** What a read of a remote file failed with since the last call. */
  failure?(): unknown;
}

/** Number of "input or output error" in the library's system. */
const EIO = 29;

/** Makes bytes or a Blob visible to the library: a worker reads a Blob by range, elsewhere it is copied into memory. */
export async function mountFile(
  library: Hdf5Library,
  content: Uint8Array | Blob,
): Promise<MountedFile> {
  const { FS } = library.module;
  const folder = `/mount${mounts++}`;
  FS.mkdir(folder);
  const path = `${folder}/file.h5ad`;
  if (content instanceof Blob && "FileReaderSync" in globalThis) {
    const { WORKERFS } = FS.filesystems;
    FS.mount(WORKERFS, { blobs: [{ name: "file.h5ad", data: content }] }, folder);
    return { path, release: () => (FS.unmount(folder), FS.rmdir(folder)) };
  }
  const bytes = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content;
  FS.writeFile(path, bytes);
  return { path, release: () => (FS.unlink(path), FS.rmdir(folder)) };
}

/** The parts of a node of the library's file system that reading needs. */
interface FileNode {
  stream_ops: Record<string, unknown>;
}

/** A file whose pages are read as the library needs them. */
export interface MountedPages extends MountedFile {
  /** The pages. */
  readonly file: PagedFile;
}

/** Makes a file visible to the library, which reads the pages it needs. */
export function mountPages(library: Hdf5Library, reader: SyncReader): MountedPages {
  const { FS } = library.module;
  const file = new PagedFile(reader);
  const path = `/pages${mounts++}.h5ad`;
  FS.writeFile(path, new Uint8Array(0));
  const { node } = FS.lookupPath(path, {}) as unknown as { node: FileNode };
  const { ErrnoError } = FS as unknown as { ErrnoError: new (number: number) => Error };
  let failure: unknown;
  const read = (_: unknown, heap: Uint8Array, ...place: [number, number, number]) => {
    const [offset, length, at] = place;
    try {
      return file.readInto(heap.subarray(offset, offset + length), at);
    } catch (error) {
      failure = error;
      throw new ErrnoError(EIO); // an error of ours would leave the library halfway
    }
  };
  Object.defineProperty(node, "usedBytes", { get: () => file.size });
  node.stream_ops = { ...node.stream_ops, read };
  return {
    path,
    file,
    release() {
      FS.unlink(path);
      file.close();
    },
    failure() {
      const last = failure;
      failure = undefined;
      return last;
    },
  };
}
