/** HDF5 files as the groups and arrays of `storage.ts`. */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "../source.ts";
import type {
  ArrayData,
  AttributeValue,
  Dtype,
  Range,
  StorageArray,
  StorageGroup,
  StorageNode,
} from "../storage.ts";
import { type Attributes, readAttributes } from "./attributes.ts";
import { clampRange } from "./blocks.ts";
import { type Datatype, dtypeOf, parseDatatype } from "./datatype.ts";
import { decode } from "./decode.ts";
import { Damage, Unread } from "./fields.ts";
import { type Filter, openPipeline } from "./filters.ts";
import { isGroup, type Link, readLinks } from "./links.ts";
import {
  type Dataspace,
  type Layout,
  parseDataspace,
  parseFill,
  parseFilters,
  parseLayout,
} from "./messages.ts";
import { contentOf, MESSAGE, type Message, readHeader } from "./object_header.ts";
import { ArrayReader } from "./read_array.ts";
import { type Hdf5Bytes, openBytes } from "./superblock.ts";

/** An open HDF5 file. */
export interface Hdf5File {
  /** The root group. */
  readonly root: StorageGroup;
  /** Closes the file; nodes refuse to be read afterwards. */
  close(): void;
}

/** Reads blocks of arrays through the HDF5 library: what few files have is left to it. Elements come as little-endian bytes. */
export type ReadBlock = (array: {
  readonly file: string;
  readonly key: string;
  /** Path in the file. */
  readonly path: string;
  readonly block: readonly Range[];
  /** Bytes of an element. */
  readonly size: number;
}) => Promise<Uint8Array>;

/** How a file is opened. */
export interface Hdf5Options {
  /** Name for messages. */
  readonly name: string;
  /** Opens the same file with the HDF5 library, where it can be had, for arrays that are not read here. */
  readonly library?: (() => Promise<{ read: ReadBlock; close(): void }>) | undefined;
}

/** What nodes of one file share. */
interface FileState {
  readonly bytes: Hdf5Bytes;
  readonly library: () => Promise<ReadBlock | undefined>;
  open: boolean;
}

/** How many links may lead to links. */
const MOST_LINKS = 16;

/** Says of damage where it is. */
async function placed<T>(place: { file: string; key: string }, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    const reason = `Cannot read the node as it must be as HDF5 says: ${cause.message}`;
    throw new FormatError("value", reason, { ...place, cause });
  }
}

/** What a node is opened from. */
interface NodeParts {
  readonly state: FileState;
  readonly path: string;
  readonly address: number;
  readonly messages: readonly Message[];
  readonly attributes: Attributes;
}

/** What group and array have in common: place and attributes. */
abstract class Hdf5Node {
  readonly file: string;
  readonly key: string;
  protected readonly state: FileState;
  protected readonly path: string;
  readonly #attributes: Attributes;

  constructor({ state, path, attributes }: NodeParts) {
    this.state = state;
    this.path = path;
    this.file = state.bytes.name;
    this.key = path === "/" ? "/" : path.slice(1);
    this.#attributes = attributes;
  }

  attributeNames(): readonly string[] {
    return [...this.#attributes.keys()];
  }

  attribute(name: string): AttributeValue | undefined {
    const value = this.#attributes.get(name);
    if (!(value instanceof Damage)) return value;
    const reason = `Cannot read the attribute ${name} as it must be as HDF5 says: ${value.message}`;
    throw new FormatError("value", reason, { file: this.file, key: this.key, cause: value });
  }

  protected checkOpen(): void {
    if (this.state.open) return;
    throw new Error(`Cannot read ${this.key} as the file ${this.file} is closed`);
  }
}

class Hdf5Group extends Hdf5Node implements StorageGroup {
  readonly node = "group";
  /** Addresses of this group and of those it was reached through. */
  readonly #line: readonly number[];
  readonly #links: ReadonlyMap<string, Link>;

  constructor(parts: NodeParts, links: ReadonlyMap<string, Link>, above: readonly number[]) {
    super(parts);
    this.#links = links;
    this.#line = [...above, parts.address];
  }

  keys(): readonly string[] {
    return [...this.#links.keys()];
  }

  async get(name: string): Promise<StorageNode | undefined> {
    this.checkOpen();
    const path = this.path === "/" ? `/${name}` : `${this.path}/${name}`;
    const place = { file: this.file, key: path.slice(1) };
    return await placed(place, async () => {
      const link = this.#links.get(name);
      if (link === undefined) return undefined;
      const address = await this.#follow(name, MOST_LINKS);
      const node = address === undefined ? undefined : await this.#open(path, address);
      if (node !== undefined) return node;
      const reason = "Cannot open the node as it must be a group or an array: " +
        "it is a link that leads nowhere or to another file";
      throw new FormatError("encoding", reason, place);
    });
  }

  /** Where a name leads; undefined for nowhere. */
  async #follow(name: string, left: number): Promise<number | undefined> {
    const link = this.#links.get(name);
    if (link === undefined || link.kind === "external" || left === 0) return undefined;
    if (link.kind === "hard") return link.address;
    const absolute = link.path.startsWith("/");
    const names = link.path.split("/").filter((part) => part !== "" && part !== ".");
    const { bytes } = this.state;
    let group: Hdf5Group = absolute ? await openGroup(this.state, "/", bytes.root, []) : this;
    if (names.length === 0) return absolute ? bytes.root : undefined;
    for (const step of names.slice(0, -1)) {
      const address = await group.#follow(step, left - 1);
      if (address === undefined) return undefined;
      group = await openGroup(this.state, `${group.path}/${step}`, address, []);
    }
    return await group.#follow(names.at(-1)!, left - 1);
  }

  /** The node of a header; undefined where it is neither a group nor an array. */
  async #open(path: string, address: number): Promise<StorageNode | undefined> {
    const parts = await openParts(this.state, path, address);
    if (!isGroup(parts.messages)) return await openArray(parts);
    if (this.#line.includes(address)) {
      const reason = "Cannot open the node as it must not hold itself: links lead in a circle";
      throw new FormatError("value", reason, { file: this.file, key: path.slice(1) });
    }
    return new Hdf5Group(parts, await readLinks(this.state.bytes, parts.messages), this.#line);
  }
}

/** Header and attributes of a node. */
async function openParts(state: FileState, path: string, address: number): Promise<NodeParts> {
  const messages = await readHeader(state.bytes, address);
  const attributes = await readAttributes(state.bytes, messages);
  return { state, path, address, messages, attributes };
}

async function openGroup(
  state: FileState,
  path: string,
  address: number,
  above: readonly number[],
): Promise<Hdf5Group> {
  const parts = await openParts(state, path, address);
  if (!isGroup(parts.messages)) throw new Damage("a group must have links");
  return new Hdf5Group(parts, await readLinks(state.bytes, parts.messages), above);
}

/** What the messages say of an array. */
interface ArrayParts {
  readonly space: Dataspace | null;
  readonly type: Datatype;
  /** The part of the format that is left to the library, where there is one. */
  readonly layout: Layout | Unread;
  readonly filters: readonly Filter[];
  readonly fill: Uint8Array | undefined;
}

/** The array of a header; undefined where it describes none. */
async function openArray(parts: NodeParts): Promise<Hdf5Array | undefined> {
  const { state: { bytes: file }, messages } = parts;
  const find = async (type: number) => {
    const message = messages.find((message) => message.type === type);
    return message && await contentOf(file, message);
  };
  const [space, type, layout] = [
    await find(MESSAGE.dataspace),
    await find(MESSAGE.datatype),
    await find(MESSAGE.layout),
  ];
  if (space === undefined || type === undefined || layout === undefined) return undefined;
  const [filters, fill, oldFill] = [
    await find(MESSAGE.filters),
    await find(MESSAGE.fill),
    await find(MESSAGE.oldFill),
  ];
  return new Hdf5Array(parts, {
    space: parseDataspace(space, file),
    type: parseDatatype(type),
    layout: await find(MESSAGE.externalFiles) === undefined
      ? unlessUnread(() => parseLayout(layout, file))
      : new Unread("an array in other files"),
    filters: filters === undefined ? [] : parseFilters(filters),
    fill: fill !== undefined ? parseFill(fill, false) : oldFill && parseFill(oldFill, true),
  });
}

/** What is parsed, or the reason why it is left to the library. */
function unlessUnread<T>(parse: () => T): T | Unread {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Unread) return error;
    throw error;
  }
}

class Hdf5Array extends Hdf5Node implements StorageArray {
  readonly node = "array";
  readonly shape: readonly number[] | null;
  readonly dtype: Dtype;
  readonly chunks: readonly number[] | null;
  readonly #parts: ArrayParts;
  #reader: Promise<ArrayReader | undefined> | undefined;

  constructor(node: NodeParts, parts: ArrayParts) {
    super(node);
    const { layout, space } = parts;
    this.#parts = parts;
    this.shape = space && space.shape;
    this.dtype = dtypeOf(parts.type);
    this.chunks = "chunk" in layout ? layout.chunk : null;
  }

  async read(ranges: readonly Range[] = []): Promise<ArrayData> {
    const { dtype, shape } = this;
    if (dtype.kind === "unsupported") {
      throw new FormatError("encoding", `Cannot read the array as its type is ${dtype.name}`, this);
    }
    if (shape === null) {
      throw new FormatError("encoding", "Cannot read the array as it has no elements", this);
    }
    this.checkOpen();
    const block = shape.map((length, axis) => clampRange(ranges[axis], length));
    return await placed(this, async () => {
      const reader = await (this.#reader ??= this.#openReader());
      if (reader === undefined) return await this.#readByLibrary(block);
      try {
        const bytes = await reader.read(block);
        return await decode(this.state.bytes, this.#own(bytes), this.#parts.type);
      } catch (error) {
        if (!(error instanceof Unread)) throw error;
        return await this.#readByLibrary(block);
      }
    });
  }

  /** Bytes that the result may keep: not a part of what is kept for others. */
  #own(bytes: Uint8Array): Uint8Array {
    const { kind } = this.#parts.type;
    const keeps = kind === "number" || kind === "bool";
    return keeps && bytes.buffer.byteLength !== bytes.byteLength ? bytes.slice() : bytes;
  }

  /** A reader of the array; undefined where the library has to read it. */
  async #openReader(): Promise<ArrayReader | undefined> {
    const { layout, space, type, filters, fill } = this.#parts;
    const place = { file: this.file, key: this.key };
    if (layout instanceof Unread) return undefined;
    const pipeline = filters.length === 0
      ? undefined
      : await openPipeline(filters, place, type.size);
    if (filters.length > 0 && pipeline === undefined) return undefined;
    const { bytes: file } = this.state;
    return new ArrayReader({ file, place, size: type.size, ...space!, layout, pipeline, fill });
  }

  async #readByLibrary(block: readonly Range[]): Promise<ArrayData> {
    const { type } = this.#parts;
    const read = await this.state.library();
    if (read === undefined || (type.kind !== "number" && type.kind !== "bool")) {
      const what = read === undefined ? "which is not there" : "and holds no plain numbers";
      const reason =
        `Cannot read the array as only the HDF5 library reads its layout or filters, ${what}`;
      throw new FormatError("missing-filter", reason, this);
    }
    const { file, key, path } = this;
    const bytes = await read({ file, key, path, block, size: type.size });
    return await decode(this.state.bytes, bytes, { ...type, big: false } as Datatype);
  }
}

/**
 * Opens a file; reads its root group.
 *
 * @param source The bytes; they are the file's from now on, and are closed with it.
 * @param options Name, and the library for what is not read here.
 * @throws {FormatError} "not-hdf5" or "truncated" where it is not whole, "value" where the root is damaged.
 */
export async function openHdf5(source: ByteSource, options: Hdf5Options): Promise<Hdf5File> {
  const { name, library } = options;
  let opened: Promise<{ read: ReadBlock; close(): void }> | undefined;
  try {
    const bytes = await openBytes(source, name);
    const state: FileState = {
      bytes,
      open: true,
      library: async () => library && (await (opened ??= library())).read,
    };
    const place = { file: name, key: "/" };
    const root = await placed(place, () => openGroup(state, "/", bytes.root, []));
    return {
      root,
      close() {
        if (!state.open) return;
        state.open = false;
        source[Symbol.dispose]();
        opened?.then((library) => library.close(), () => {});
      },
    };
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}
