/**
 * Writing HDF5 files that every reader since HDF5 1.8 opens. Values go to the file as they come; headers, which name each other's
 * addresses, are kept until all is known and stand at the end, and the superblock is written last, so that an unfinished file is none.
 */
import { BufferedRows, bytesIn } from "../buffered_rows.ts";
import { loadDeflate, type Pack } from "../codecs/deflate.ts";
import { FormatError } from "../errors.ts";
import type {
  ArrayData,
  ArrayOptions,
  ArrayStream,
  AttributeValue,
  Dtype,
  NumericDtype,
  RawArray,
  StorageWriter,
} from "../storage.ts";
import { BytesOut } from "./bytes_out.ts";
import { writeChunkTree, type WrittenChunk } from "./chunk_tree.ts";
import type { Message } from "./object_header.ts";
import { Appender, type ByteSink } from "./sink.ts";
import { TextHeap } from "./text_heap.ts";
import {
  arrayMessages,
  attributeMessage,
  bytesOf,
  groupMessages,
  GZIP_LEVEL,
  headerOf,
  sizeOf,
  type WrittenArray,
} from "./write_messages.ts";

/** Bytes of a chunk of a streamed or compressed array. */
const CHUNK_BYTES = 1 << 18;

const SUPERBLOCK_BYTES = 48;

/** How a file is written. */
export interface Hdf5WriterOptions {
  /** Name, for messages. */
  readonly name: string;
  /** Compresses every array of numbers. */
  readonly gzip: boolean;
  /** What stands before the file: 512 bytes, or a power of two beyond. */
  readonly userBlock?: Uint8Array;
}

/** A node whose header is not written yet. */
interface Node {
  readonly children: Map<string, Node>;
  readonly attributes: Map<string, Message>;
  /** Undefined for a group. */
  array: WrittenArray | undefined;
}

function emptyNode(): Node {
  return { children: new Map(), attributes: new Map(), array: undefined };
}

/** Elements of an attribute and their type; whole numbers become int64. */
function attributeType(list: readonly unknown[]): Dtype {
  if (list.length > 0 && typeof list[0] === "string") return { kind: "string" };
  if (typeof list[0] === "boolean") return { kind: "bool" };
  const whole = list.length > 0 && list.every(Number.isSafeInteger);
  return { kind: "numeric", name: whole ? "int64" : "float64" };
}

function attributeBytes(list: readonly number[], dtype: Dtype): Uint8Array {
  if (dtype.kind === "bool") return Uint8Array.from(list);
  const whole = dtype.kind === "numeric" && dtype.name === "int64";
  return bytesIn(whole ? BigInt64Array.from(list, BigInt) : Float64Array.from(list));
}

/** Rows of a chunk. */
function chunkRows(shape: readonly number[], size: number): number {
  const rowBytes = shape.slice(1).reduce((product, length) => product * length, size);
  return Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, rowBytes)));
}

/** A file being written. */
export class Hdf5Writer implements StorageWriter {
  readonly #file: Appender;
  readonly #texts: TextHeap;
  readonly #options: Hdf5WriterOptions;
  readonly #sink: ByteSink;
  readonly #root = emptyNode();
  #pack: Promise<Pack> | undefined;

  /** Starts a file in an empty sink. */
  constructor(sink: ByteSink, options: Hdf5WriterOptions) {
    const base = options.userBlock?.length ?? 0;
    this.#sink = sink;
    this.#options = options;
    this.#file = new Appender(sink, { base, start: SUPERBLOCK_BYTES });
    this.#texts = new TextHeap(this.#file);
  }

  /** Makes a group and the attributes of it. */
  async group(
    key: string,
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Promise<void> {
    this.#node(key);
    await this.attributes(key, attributes);
  }

  /** Sets attributes of a node; the root's key is empty. */
  async attributes(
    key: string,
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Promise<void> {
    const node = this.#node(key);
    for (const [name, value] of Object.entries(attributes)) {
      const list: readonly (string | number | boolean)[] = Array.isArray(value) ? value : [value];
      const dtype = attributeType(list);
      const shape = Array.isArray(value) ? [list.length] : [];
      const data = dtype.kind === "string"
        ? await this.#addTexts(key, list as readonly string[])
        : attributeBytes(list.map(Number), dtype);
      node.attributes.set(name, attributeMessage(name, { dtype, shape, data }));
    }
  }

  /** Writes a whole array; a struct's texts are of any length. */
  async array(key: string, data: ArrayData, options: ArrayOptions): Promise<void> {
    const { shape, dtype } = options;
    const bytes = await this.#bytesOf(key, data, dtype);
    const plain = dtype.kind === "numeric" || dtype.kind === "bool";
    if (this.#options.gzip && plain && shape.length > 0 && !shape.includes(0)) {
      return await this.#writeChunked(key, bytes, { shape, dtype });
    }
    const address = bytes.length === 0 ? undefined : await this.#file.append(bytes);
    const layout = { kind: "contiguous" as const, address, length: bytes.length };
    this.#node(key).array = { dtype, shape, layout };
  }

  /**
   * Starts an array of numbers that grows along its first axis; one that stays small is written at once when finished.
   *
   * @param key Key of the array.
   * @param name Element type.
   * @param rest Lengths of the other axes.
   */
  stream(key: string, name: NumericDtype, rest: readonly number[] = []): ArrayStream {
    const dtype: Dtype = { kind: "numeric", name };
    const rowBytes = rest.reduce((product, length) => product * length, bytesOf(name));
    const chunk = [chunkRows([0, ...rest], bytesOf(name)), ...rest];
    const chunks: WrittenChunk[] = [];
    const gathered = new BufferedRows({ rowBytes, chunkBytes: chunk[0]! * rowBytes }, {
      whole: (bytes, rows) => this.array(key, bytes as RawArray, { shape: [rows, ...rest], dtype }),
      start: () => Promise.resolve(),
      append: (bytes, row) => this.#appendChunks(chunks, { bytes, row, chunk, rowBytes }),
    });
    return {
      append: (values) => gathered.append(values),
      finish: async () => {
        const rows = await gathered.finish();
        if (chunks.length > 0) {
          const maxShape = [Infinity, ...rest];
          await this.#finishChunks(key, chunks, { dtype, shape: [rows, ...rest], maxShape, chunk });
        }
        return rows;
      },
    };
  }

  /** Why elements of a type cannot be written; undefined where they can. */
  refusal(dtype: Dtype): string | undefined {
    if (dtype.kind === "unsupported") return `elements of type ${dtype.name} cannot be written`;
    if (dtype.kind !== "struct") return undefined;
    const bad = dtype.fields.find((field) =>
      field.shape.length > 0 || !["numeric", "bool", "string"].includes(field.dtype.kind)
    );
    return bad && `the field ${bad.name} of a table is neither one number nor one text`;
  }

  /** Writes the headers and the superblock. */
  async finish(): Promise<void> {
    const root = await this.#writeNode(this.#root);
    const { userBlock = new Uint8Array(0) } = this.#options;
    const superblock = new BytesOut().bytes(
      Uint8Array.from("\x89HDF\r\n\x1a\n", (c) => c.charCodeAt(0)),
    )
      .u8(2, 8, 8, 0).u64(userBlock.length).u64(undefined).u64(userBlock.length + this.#file.used)
      .u64(root).checksum();
    await this.#sink.write(0, new BytesOut().bytes(userBlock).bytes(superblock.finish()).finish());
  }

  /** The node of a key; groups on the way to it are made. */
  #node(key: string): Node {
    let node = this.#root;
    for (const name of key === "" ? [] : key.split("/")) {
      const child = node.children.get(name) ?? emptyNode();
      node.children.set(name, child);
      node = child;
    }
    return node;
  }

  /** Writes the headers below a node and its own; returns its address. */
  async #writeNode({ children, attributes, array }: Node): Promise<number> {
    const links = new Map<string, number>();
    for (const [name, child] of children) links.set(name, await this.#writeNode(child));
    const messages = array === undefined ? groupMessages(links) : arrayMessages(array);
    return await this.#file.append(headerOf([...messages, ...attributes.values()]));
  }

  async #addTexts(key: string, texts: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    const bad = texts.findIndex((text) => text.includes("\0"));
    if (bad === -1) return await this.#texts.add(texts);
    const reason = `Cannot write text ${bad} as HDF5 texts must not contain NUL`;
    throw new FormatError("value", reason, { file: this.#options.name, key });
  }

  /** Elements as they are stored. */
  async #bytesOf(key: string, data: ArrayData, dtype: Dtype): Promise<Uint8Array> {
    if (Array.isArray(data)) return await this.#addTexts(key, data);
    if (!("fields" in data)) return bytesIn(data);
    if (dtype.kind !== "struct") throw new TypeError(`Cannot write fields as ${dtype.kind}`);
    return await this.#packRows(key, data.fields, dtype);
  }

  /** Fields one after the other in each row. */
  async #packRows(
    key: string,
    fields: ReadonlyMap<string, ArrayData>,
    dtype: Extract<Dtype, { kind: "struct" }>,
  ): Promise<Uint8Array> {
    const size = sizeOf(dtype);
    let [rows, offset] = [new Uint8Array(0), 0];
    for (const { name, dtype: field } of dtype.fields) {
      const bytes = await this.#bytesOf(key, fields.get(name)!, field);
      const width = sizeOf(field);
      const count = bytes.length / width;
      if (offset === 0) rows = new Uint8Array(count * size);
      for (let row = 0; row < count; row++) {
        rows.set(bytes.subarray(row * width, (row + 1) * width), row * size + offset);
      }
      offset += width;
    }
    return rows;
  }

  /** Writes an array that is there in chunks. */
  async #writeChunked(
    key: string,
    bytes: Uint8Array,
    { shape, dtype }: { shape: readonly number[]; dtype: Dtype },
  ): Promise<void> {
    const size = sizeOf(dtype);
    const chunk = [Math.min(shape[0]!, chunkRows(shape, size)), ...shape.slice(1)];
    const rowBytes = bytes.length / shape[0]!;
    const chunks: WrittenChunk[] = [];
    await this.#appendChunks(chunks, { bytes, row: 0, chunk, rowBytes });
    await this.#finishChunks(key, chunks, { dtype, shape, chunk });
  }

  /** Writes rows as chunks; the last may be short, and is filled with zeros. */
  async #appendChunks(
    chunks: WrittenChunk[],
    part: { bytes: Uint8Array; row: number; chunk: readonly number[]; rowBytes: number },
  ): Promise<void> {
    const { bytes, row, chunk, rowBytes } = part;
    const length = chunk[0]! * rowBytes;
    for (let at = 0; at < bytes.length; at += length) {
      let piece = bytes.subarray(at, at + length);
      if (piece.length < length) {
        const whole = new Uint8Array(length);
        whole.set(piece);
        piece = whole;
      }
      if (this.#options.gzip) piece = await (await (this.#pack ??= loadDeflate(GZIP_LEVEL)))(piece);
      const address = await this.#file.append(piece);
      chunks.push({ row: row + at / rowBytes, address, size: piece.length });
    }
  }

  async #finishChunks(
    key: string,
    chunks: readonly WrittenChunk[],
    array: Omit<WrittenArray, "layout"> & { chunk: readonly number[] },
  ): Promise<void> {
    const { chunk, ...rest } = array;
    const tree = await writeChunkTree(this.#file, chunks, { chunk, itemBytes: sizeOf(rest.dtype) });
    const layout = { kind: "chunked" as const, tree, chunk, gzip: this.#options.gzip };
    this.#node(key).array = { ...rest, layout };
  }
}
