/** The HDF5 library itself, h5wasm: it writes files, and reads the few arrays that `hdf5/` leaves to it. */
import { FormatError } from "../errors.ts";
import type { ReadBlock } from "../hdf5/hdf5.ts";
import { isHttp } from "../source.ts";
import type { Range } from "../storage.ts";
import { calling } from "./hdf5_call.ts";
import { checkFilters, type Filter } from "./hdf5_filters.ts";
import type { H5Module } from "./hdf5_types.ts";

/** h5wasm as loaded on this platform. */
export interface Hdf5Library {
  /** Its module. */
  readonly module: H5Module;
  /** Makes the filter plugin of this name loadable; false where that is impossible. */
  provideFilter(plugin: string): Promise<boolean>;
}

/** A file that the library sees at a path of its own. */
interface Mounted {
  readonly library: Hdf5Library;
  readonly path: string;
  release(): void;
}

let mounts = 0;

/** Puts the whole content of a file into the library's memory. */
async function mountContent(content: string | Blob | Uint8Array): Promise<Mounted> {
  const { loadHdf5 } = await import("./hdf5_web.ts");
  const library = await loadHdf5();
  const whole = typeof content === "string" ? await (await fetch(content)).blob() : content;
  const bytes = whole instanceof Blob ? new Uint8Array(await whole.arrayBuffer()) : whole;
  const path = `/mounted${mounts++}.h5`;
  const { FS } = library.module;
  FS.writeFile(path, bytes);
  return { library, path, release: () => FS.unlink(path) };
}

/** Lets the library see a file: by path on a server, else in its memory. */
async function mount(from: string | Blob | Uint8Array): Promise<Mounted> {
  if (typeof from !== "string" || isHttp(from)) return await mountContent(from);
  const { loadHdf5 } = await import("./hdf5_deno.ts");
  return { library: await loadHdf5(), path: from, release() {} };
}

/** Says of a failure of the library which array it is about. */
function placed<T>(module: H5Module, place: { file: string; key: string }, act: () => T): T {
  try {
    return calling(module, act);
  } catch (cause) {
    const reason = "Cannot read the array as the HDF5 library fails on it";
    throw new FormatError("value", reason, { file: place.file, key: place.key, cause });
  }
}

/** Reads a block of an array as little-endian bytes. */
function readBlock(module: H5Module, id: bigint, job: Parameters<ReadBlock>[0]): Uint8Array {
  const { path, block, size } = job;
  const counts = block.map(([start, end]: Range) => end - start);
  const length = counts.reduce((product, count) => product * count, size);
  if (length === 0) return new Uint8Array(0);
  const pointer = module._malloc(length);
  if (pointer === 0) throw new RangeError(`Cannot read ${path}: no memory for ${length} bytes`);
  const big = (values: number[]) => block.length === 0 ? null : values.map(BigInt);
  const [count, offset] = [big(counts), big(block.map(([start]) => start))];
  const strides = big(counts.map(() => 1));
  try {
    placed(
      module,
      job,
      () => module.get_dataset_data(id, path, count, offset, strides, BigInt(pointer)),
    );
    return module.HEAPU8.slice(pointer, pointer + length);
  } finally {
    module._free(pointer);
  }
}

/**
 * Opens a file with the library.
 *
 * @param from Its path, address, or content.
 * @param name Its name, for messages.
 * @returns A reader of blocks, which throws `FormatError` "missing-filter" where a filter is not available; and what closes the file.
 */
export async function openLibrary(
  from: string | Blob | Uint8Array,
  name: string,
): Promise<{ read: ReadBlock; close(): void }> {
  const { library, path, release } = await mount(from);
  const { module } = library;
  const place = { file: name, key: "/" };
  const id = placed(module, place, () => module.open(path, module.H5F_ACC_RDONLY, false, -1, -1));
  return {
    async read(job) {
      const filters: Filter[] = placed(module, job, () => module.get_dataset_filters(id, job.path));
      await checkFilters(library, filters, job);
      return readBlock(module, id, job);
    },
    close() {
      module.close_file(id);
      release();
    },
  };
}

/** Address of the header of a node. */
export function addressOf(module: H5Module, id: bigint, path: string): number {
  const reference = module.create_object_reference(id, path);
  return Number(new DataView(Uint8Array.from(reference).buffer).getBigUint64(0, true));
}
