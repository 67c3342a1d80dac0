/** HDF5 files as the groups and arrays of `storage.ts`, over h5wasm. */
import { FormatError } from "../errors.ts";
import {
  concatenate,
  decode,
  dtypeOf,
  type H5Module,
  type H5Type,
  type H5Wasm,
  holdsPointers,
} from "./hdf5_types.ts";
import { checkFilters, type Filter, lacksLength } from "./hdf5_filters.ts";
import type { ReadBytes } from "./hdf5_header.ts";
import { lzfPatch, type Patch } from "./hdf5_lzf.ts";
import type {
  ArrayData,
  AttributeValue,
  Dtype,
  Range,
  StorageArray,
  StorageGroup,
  StorageNode,
} from "../storage.ts";

/** Bytes that one call reads into the heap of the library, which never shrinks. */
const SLAB_BYTES = 1 << 25;

/** h5wasm as loaded on this platform. */
export interface Hdf5Library {
  /** The package. */
  readonly h5: H5Wasm;
  /** Its module. */
  readonly module: H5Module;
  /** Makes the filter plugin of this name loadable; false where that is impossible. */
  provideFilter(plugin: string): Promise<boolean>;
}

/** An open HDF5 file. */
export interface Hdf5File {
  /** The root group. */
  readonly root: StorageGroup;
  /** Closes the file; nodes refuse to be read afterwards. */
  close(): void;
}

/** How a file is opened. */
export interface Hdf5Options {
  /** Name for messages. */
  readonly name: string;
  /** What a read of the file failed with since the last call, where it is remote. */
  readonly failure?: (() => unknown) | undefined;
  /** Opens a view of the file in which the descriptions of some data sets can be mended. */
  readonly mendable?: () => Promise<MendableFile>;
}

/** A view of a file in which bytes can be changed; the file itself stays as it is. */
export interface MendableFile {
  /** The library that sees the view. */
  readonly library: Hdf5Library;
  /** Path in its file system. */
  readonly path: string;
  /** Reads bytes. */
  readonly read: ReadBytes;
  /** Shows other bytes from now on. */
  patch(patch: Patch): void;
  /** Removes the view. */
  release(): void;
}

/** What nodes of one file share. */
interface FileState extends Hdf5Options {
  readonly library: Hdf5Library;
  id: bigint;
  open: boolean;
  /** The view in which descriptions are mended, once one had to be. */
  mended: Promise<MendedState> | undefined;
}

/** The state of a mended view; its file is opened anew after each change, as the library keeps what it read. */
interface MendedState extends FileState {
  readonly file: MendableFile;
}

/** Runs `act` with the library's errors thrown, instead of printed and passed over. */
export function throwing<T>(module: H5Module, act: () => T): T {
  module.activate_throwing_error_handler();
  try {
    return act();
  } finally {
    module.deactivate_throwing_error_handler();
  }
}

/**
 * Opens a file that the library's file system can see; reads no data.
 *
 * @param library The library.
 * @param path Path in its file system.
 * @param options Name, and how reads that fail and descriptions to mend are handled.
 */
export function openHdf5(library: Hdf5Library, path: string, options: Hdf5Options): Hdf5File {
  const { name, failure } = options;
  const { module } = library;
  let id: bigint;
  try {
    id = openFile(library, path);
  } catch (cause) {
    throw failure?.() ??
      new FormatError("not-hdf5", "Cannot open the file as the HDF5 library refuses it", {
        file: name,
        key: "/",
        cause,
      });
  }
  const state: FileState = { ...options, library, id, open: true, mended: undefined };
  return {
    root: new Hdf5Group(state, "/"),
    close() {
      if (!state.open) return;
      state.open = false;
      module.close_file(id);
      state.mended?.then(({ library, id, file }) => {
        library.module.close_file(id);
        file.release();
      }, () => {});
    },
  };
}

/** Opens a file for reading. */
function openFile({ module }: Hdf5Library, path: string): bigint {
  return throwing(module, () => module.open(path, module.H5F_ACC_RDONLY, false, -1, -1));
}

/** Opens the view of a file in which descriptions are mended. */
async function openMended(state: FileState): Promise<MendedState> {
  const file = await state.mendable!();
  const id = openFile(file.library, file.path);
  const { name } = state;
  return { name, library: file.library, id, file, open: true, mended: undefined };
}

/** What group and array have in common: place, attributes, and calls of the library. */
abstract class Hdf5Node {
  readonly file: string;
  readonly key: string;
  readonly #names: readonly string[];

  constructor(protected readonly state: FileState, protected readonly path: string) {
    this.file = state.name;
    this.key = path === "/" ? "/" : path.slice(1);
    this.#names = this.call((module, id) => module.get_attribute_names(id, path));
  }

  attributeNames(): readonly string[] {
    return this.#names;
  }

  attribute(name: string): AttributeValue | undefined {
    if (!this.#names.includes(name)) return undefined;
    const { h5 } = this.state.library;
    const value: unknown = this.call((_, id) =>
      new h5.Group(id, this.path).get_attribute(name, true)
    );
    if (Array.isArray(value) && value.every(isScalar)) return value as string[] | number[];
    // References and null dataspaces carry nothing that the encodings need.
    return isScalar(value) ? value : undefined;
  }

  /** Calls the library; what fails there is a damaged file. */
  protected call<T>(act: (module: H5Module, id: bigint) => T): T {
    const { library: { module }, id, open } = this.state;
    if (!open) throw new Error(`Cannot read ${this.key} as the file ${this.file} is closed`);
    try {
      return throwing(module, () => act(module, id));
    } catch (cause) {
      const failure = this.state.failure?.();
      if (failure !== undefined) throw failure;
      throw new FormatError("value", "Cannot read the node as the HDF5 library fails on it", {
        file: this.file,
        key: this.key,
        cause,
      });
    }
  }
}

/** Whether a value is one that an attribute may have. */
function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

class Hdf5Group extends Hdf5Node implements StorageGroup {
  readonly node = "group";
  /** Addresses of this group and of those it was reached through. */
  readonly #line: readonly number[];
  #keys: readonly string[] | undefined;

  constructor(state: FileState, path: string, above: readonly number[] = []) {
    super(state, path);
    this.#line = [...above, this.call((module, id) => addressOf(module, id, path))];
  }

  /** A group inside this one; refuses one that leads back, as a hard link may. */
  #child(path: string): Hdf5Group {
    const child = new Hdf5Group(this.state, path, this.#line);
    if (!this.#line.includes(child.#line.at(-1)!)) return child;
    const reason = "Cannot open the node as it must not hold itself: links lead in a circle";
    throw new FormatError("value", reason, { file: this.file, key: path.slice(1) });
  }

  keys(): readonly string[] {
    return this.#keys ??= this.call((module, id) => module.get_names(id, this.path, false));
  }

  // deno-lint-ignore require-await -- so that a damaged node rejects instead of throwing
  async get(name: string): Promise<StorageNode | undefined> {
    if (!this.keys().includes(name)) return undefined;
    const path = this.path === "/" ? `/${name}` : `${this.path}/${name}`;
    const type = this.call((module, id) => module.get_type(id, path));
    const { module } = this.state.library;
    if (type === module.H5G_GROUP) return this.#child(path);
    if (type === module.H5G_DATASET) return new Hdf5Array(this.state, path);
    throw new FormatError(
      "encoding",
      "Cannot open the node as it must be a group or an array: it is a link that leads nowhere or to another file",
      { file: this.file, key: path.slice(1) },
    );
  }
}

class Hdf5Array extends Hdf5Node implements StorageArray {
  readonly node = "array";
  readonly shape: readonly number[] | null;
  readonly dtype: Dtype;
  readonly chunks: readonly number[] | null;
  readonly #type: H5Type;
  #checked: Promise<Hdf5Array | undefined> | undefined;

  constructor(state: FileState, path: string) {
    super(state, path);
    this.#type = this.call((module, id) => module.get_dataset_metadata(id, path));
    this.shape = this.#type.shape;
    this.dtype = dtypeOf(this.#type);
    this.chunks = this.#type.chunks;
  }

  async read(ranges: readonly Range[] = []): Promise<ArrayData> {
    const { dtype, shape } = this;
    if (dtype.kind === "unsupported") {
      throw new FormatError("encoding", `Cannot read the array as its type is ${dtype.name}`, this);
    }
    if (shape === null) {
      throw new FormatError("encoding", "Cannot read the array as it has no elements", this);
    }
    const mended = await (this.#checked ??= this.#checkFilters());
    if (mended !== undefined) return await mended.read(ranges);
    const block = shape.map((length, axis) => clampRange(ranges[axis], length));
    return concatenate(slabsOf(block, this.#type).map((slab) => this.#readSlab(slab)));
  }

  /** Makes filters available; returns this array in the mended view where its description is not complete. */
  async #checkFilters(): Promise<Hdf5Array | undefined> {
    const filters: Filter[] = this.call((module, id) => module.get_dataset_filters(id, this.path));
    const { state } = this;
    const place = { file: this.file, key: this.key };
    if (state.mendable === undefined || !lacksLength(filters)) {
      return await checkFilters(state.library, filters, place), undefined;
    }
    const mended = await (state.mended ??= openMended(state));
    const address = this.call((module, id) => addressOf(module, id, this.path));
    const patch = lzfPatch(mended.file.read, address);
    if (patch === undefined) {
      const reason = "Cannot read the array as lzf's chunks do not say how long they are: " +
        "write the file with gzip, zstd or lz4";
      throw new FormatError("missing-filter", reason, place);
    }
    mended.library.module.close_file(mended.id);
    mended.file.patch(patch);
    mended.id = openFile(mended.library, mended.file.path);
    return new Hdf5Array(mended, this.path);
  }

  /** One call of the library. */
  #readSlab(block: readonly Range[]): ArrayData {
    const { module } = this.state.library;
    const counts = block.map(([start, end]) => end - start);
    const length = counts.reduce((product, count) => product * count, 1) * this.#type.size;
    if (length === 0) return decode(new Uint8Array(0), this.#type, module);
    const pointer = module._malloc(length);
    if (pointer === 0) {
      throw new RangeError(`Cannot read ${this.key}: no memory for ${length} bytes`);
    }
    try {
      return this.call((_, id) => this.#readInto(pointer, { id, block, length }));
    } finally {
      module._free(pointer);
    }
  }

  /** Reads a block into the library's heap and takes it out of there. */
  #readInto(
    pointer: number,
    { id, block, length }: { id: bigint; block: readonly Range[]; length: number },
  ): ArrayData {
    const { module } = this.state.library;
    const count = block.map(([start, end]) => BigInt(end - start));
    const offset = block.map(([start]) => BigInt(start));
    const [counts, offsets, strides] = block.length === 0
      ? [null, null, null]
      : [count, offset, count.map(() => 1n)];
    module.get_dataset_data(id, this.path, counts, offsets, strides, BigInt(pointer));
    const bytes = module.HEAPU8.slice(pointer, pointer + length) as Uint8Array<ArrayBuffer>;
    const data = decode(bytes, this.#type, module);
    if (holdsPointers(this.#type)) {
      module.reclaim_vlen_memory_count(id, this.path, "", BigInt(pointer), count);
    }
    return data;
  }
}

/** Address of the header of a node. */
export function addressOf(module: H5Module, id: bigint, path: string): number {
  const reference = module.create_object_reference(id, path);
  return Number(new DataView(Uint8Array.from(reference).buffer).getBigUint64(0, true));
}

/** A range inside `0 .. length`. */
function clampRange(range: Range | undefined, length: number): Range {
  const start = Math.min(range?.[0] ?? 0, length);
  return [start, Math.max(start, Math.min(range?.[1] ?? length, length))];
}

/** Cuts a block along its first axis into reads of bounded size that end where chunks end. */
function slabsOf(block: readonly Range[], type: H5Type): Range[][] {
  const [first, ...rest] = block;
  if (first === undefined) return [[]];
  const rowBytes = rest.reduce((product, [start, end]) => product * (end - start), type.size);
  const chunk = type.chunks?.[0] ?? 1;
  const chunksPerSlab = Math.max(1, Math.floor(SLAB_BYTES / Math.max(1, rowBytes * chunk)));
  const step = chunk * chunksPerSlab;
  const slabs: Range[][] = [];
  let start = first[0];
  do {
    const end = Math.min(first[1], (Math.floor(start / chunk) * chunk) + step);
    slabs.push([[start, end], ...rest]);
    start = end;
  } while (start < first[1]);
  return slabs;
}
