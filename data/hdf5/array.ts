/** Arrays of HDF5 files. */
import { FormatError } from "../errors.ts";
import type { ArrayData, Dtype, Range, StorageArray } from "../storage.ts";
import { clampRange } from "./blocks.ts";
import { type Datatype, dtypeOf, parseDatatype } from "./datatype.ts";
import { decode } from "./decode.ts";
import { Unread } from "./fields.ts";
import { type Filter, openPipeline } from "./filters.ts";
import {
  type Dataspace,
  type Layout,
  parseDataspace,
  parseFill,
  parseFilters,
  parseLayout,
} from "./messages.ts";
import { Hdf5Node, type NodeParts, placed } from "./node.ts";
import { contentOf, MESSAGE } from "./object_header.ts";
import { ArrayReader } from "./read_array.ts";

/** What the messages say of an array. */
interface ArrayParts {
  readonly space: Dataspace | null;
  readonly type: Datatype;
  /** Where the elements are, or the reason why they are not read. */
  readonly layout: Layout | Unread;
  readonly filters: readonly Filter[];
  readonly fill: Uint8Array | undefined;
}

/** The array of a header; undefined where it describes none. */
export async function openArray(parts: NodeParts): Promise<Hdf5Array | undefined> {
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

/** What is parsed, or the reason why it is not read. */
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
  #reader: Promise<ArrayReader> | undefined;

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
      const bytes = await (await this.#opened()).read(block);
      return await decode(this.state.bytes, this.#own(bytes), this.#parts.type);
    });
  }

  /** The reader of the array, opened once unless that fails. */
  #opened(): Promise<ArrayReader> {
    if (this.#reader !== undefined) return this.#reader;
    const reader = this.#reader = this.#openReader();
    reader.catch(() => this.#reader = undefined);
    return reader;
  }

  /** Bytes that the result may keep: not a part of what is kept for others. */
  #own(bytes: Uint8Array): Uint8Array {
    const { kind } = this.#parts.type;
    const keeps = kind === "number" || kind === "bool";
    return keeps && bytes.buffer.byteLength !== bytes.byteLength ? bytes.slice() : bytes;
  }

  async #openReader(): Promise<ArrayReader> {
    const { layout, space, type, filters, fill } = this.#parts;
    const place = { file: this.file, key: this.key };
    if (layout instanceof Unread) throw layout;
    const pipeline = filters.length === 0
      ? undefined
      : await openPipeline(filters, place, type.size);
    const { bytes: file } = this.state;
    return new ArrayReader({ file, place, size: type.size, ...space!, layout, pipeline, fill });
  }
}
