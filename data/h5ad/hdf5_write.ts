/** Writing HDF5 files: groups, attributes, arrays at once or piece by piece. */
import { BufferedRows, bytesIn } from "../buffered_rows.ts";
import { FormatError } from "../errors.ts";
import { addressOf, type Hdf5Library } from "./hdf5_library.ts";
import { calling } from "./hdf5_call.ts";
import { BOOL_STAND_IN, patchBooleans } from "./hdf5_bool.ts";
import { packRows } from "./hdf5_struct.ts";
import { type H5Module, H5T, type H5Type, holdsPointers } from "./hdf5_types.ts";
import type {
  ArrayData,
  ArrayOptions,
  ArrayStream,
  AttributeValue,
  Dtype,
  NumericDtype,
  StorageWriter,
} from "../storage.ts";

/** Bytes of a chunk of a streamed or compressed array. */
const CHUNK_BYTES = 1 << 18;

const UNLIMITED = 2n ** 64n - 1n;

/** Bytes of an element of a numeric type as it is written: float16 is widened. */
function bytesOf(name: NumericDtype): number {
  return name === "float16" ? 4 : Number(name.replace(/\D+/, "")) / 8;
}

/** The library's description of an element type. */
export function typeFor(dtype: Dtype): Partial<H5Type> {
  if (dtype.kind === "bool") return BOOL_STAND_IN;
  if (dtype.kind === "string") {
    return { type: H5T.string, size: 4, vlen: true, cset: 1, signed: false, littleEndian: true };
  }
  if (dtype.kind !== "numeric") throw new TypeError(`Cannot write elements of type ${dtype.kind}`);
  return {
    type: dtype.name.startsWith("float") ? H5T.float : H5T.integer,
    size: bytesOf(dtype.name),
    signed: dtype.name.startsWith("int"),
    vlen: false,
    littleEndian: true,
  };
}

/** Lends `act` a copy of the bytes on the library's heap. */
function onHeap<T>(module: H5Module, bytes: Uint8Array, act: (pointer: bigint) => T): T {
  const pointer = module._malloc(Math.max(1, bytes.length));
  if (pointer === 0) throw new RangeError(`Cannot write ${bytes.length} bytes: no memory for them`);
  try {
    module.HEAPU8.set(bytes, pointer);
    return act(BigInt(pointer));
  } finally {
    module._free(pointer);
  }
}

/** An HDF5 file being written, in the oldest and most widely readable version of the format. */
export class Hdf5Writer implements StorageWriter {
  readonly #library: Hdf5Library;
  readonly #path: string;
  readonly #id: bigint;
  readonly #gzip: boolean;
  readonly #booleans = new Map<string, number>();
  #open = true;

  /** Makes the file, which must not exist in a state worth keeping. */
  constructor(library: Hdf5Library, path: string, options: { gzip: boolean }) {
    const { module } = library;
    this.#library = library;
    this.#path = path;
    this.#gzip = options.gzip;
    const [low, high] = [module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST];
    this.#id = calling(module, () => module.open(path, module.H5F_ACC_TRUNC, false, low, high));
  }

  /** Makes a group and the attributes of it. */
  async group(
    key: string,
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Promise<void> {
    const { module } = this.#library;
    calling(module, () => module.create_group(this.#id, `/${key}`, false));
    await this.attributes(key, attributes);
  }

  /** Sets attributes of a node; the root's key is empty. */
  // deno-lint-ignore require-await -- so that a failure rejects instead of throwing
  async attributes(
    key: string,
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Promise<void> {
    for (const [name, value] of Object.entries(attributes)) this.#attribute(key, name, value);
  }

  #attribute(key: string, name: string, value: AttributeValue): void {
    const { module } = this.#library;
    const list = Array.isArray(value) ? value : [value];
    const shape = Array.isArray(value) ? [BigInt(value.length)] : [];
    const space = { shape, maxshape: shape } as never as H5Type;
    if (list.length > 0 && typeof list[0] === "string") {
      const metadata = { ...typeFor({ kind: "string" }), ...space } as never;
      calling(
        module,
        () => module.create_vlen_str_attribute(this.#id, `/${key}`, name, list, metadata),
      );
      return;
    }
    const dtype: NumericDtype = typeof list[0] === "boolean"
      ? "int8"
      : list.length > 0 && list.every(Number.isSafeInteger)
      ? "int64"
      : "float64";
    const numbers = list.map(Number);
    const bytes = dtype === "int8"
      ? bytesIn(Int8Array.from(numbers))
      : dtype === "int64"
      ? bytesIn(BigInt64Array.from(numbers.map(BigInt)))
      : bytesIn(Float64Array.from(numbers));
    const metadata = { ...typeFor({ kind: "numeric", name: dtype }), ...space } as never;
    onHeap(
      module,
      bytes,
      (pointer) =>
        calling(
          module,
          () => module.create_attribute(this.#id, `/${key}`, name, pointer, metadata),
        ),
    );
  }

  /** Writes a whole array; a struct's strings are of any length. */
  // deno-lint-ignore require-await -- so that a failure rejects instead of throwing
  async array(key: string, data: ArrayData, options: ArrayOptions): Promise<void> {
    const { module } = this.#library;
    if (!Array.isArray(data) && "fields" in data) {
      packRows(
        module,
        data.fields,
        options,
        (pointer, type) =>
          this.#create(key, pointer, { ...this.#layout(options.shape, type), ...type }),
      );
      return;
    }
    const type = typeFor(options.dtype);
    const metadata = { ...type, ...this.#layout(options.shape, type) };
    if (Array.isArray(data)) {
      this.#strings(key, data, metadata);
    } else {
      onHeap(module, bytesIn(data), (pointer) => this.#create(key, pointer, metadata));
    }
    if (options.dtype.kind === "bool") this.#rememberBoolean(key);
  }

  #create(key: string, pointer: bigint, metadata: object): void {
    const { module } = this.#library;
    calling(module, () => module.create_dataset(this.#id, `/${key}`, pointer, metadata as never));
  }

  #strings(key: string, texts: readonly string[], metadata: object): void {
    const bad = texts.findIndex((text) => text.includes("\0"));
    if (bad !== -1) {
      throw new FormatError(
        "value",
        `Cannot write text ${bad} as HDF5 texts must not contain NUL`,
        {
          file: this.#path,
          key,
        },
      );
    }
    const { module } = this.#library;
    calling(
      module,
      () => module.create_vlen_str_dataset(this.#id, `/${key}`, texts, metadata as never),
    );
  }

  /** Shape, and chunks where the array is compressed; the library compresses no texts of variable length. */
  #layout(shape: readonly number[], type: Partial<H5Type>): object {
    const axes = shape.map(BigInt);
    const layout = { shape: axes, maxshape: axes, chunks: null };
    const { size = 1 } = type;
    if (!this.#gzip || shape.length === 0 || shape.includes(0) || holdsPointers(type)) {
      return layout;
    }
    const chunks = [Math.min(shape[0]!, chunkRows(shape, size)), ...shape.slice(1)].map(BigInt);
    return { ...layout, chunks, compression: 1, compression_opts: [4] };
  }

  #rememberBoolean(key: string): void {
    this.#booleans.set(key, addressOf(this.#library.module, this.#id, `/${key}`));
  }

  /**
   * Starts an array of numbers that grows along its first axis; one that stays small is written at once when finished.
   *
   * @param key Key of the array.
   * @param name Element type.
   * @param rest Lengths of the other axes.
   */
  stream(key: string, name: NumericDtype, rest: readonly number[] = []): ArrayStream {
    const { module } = this.#library;
    const type = typeFor({ kind: "numeric", name });
    const rowBytes = rest.reduce((product, length) => product * length, bytesOf(name));
    const rows = chunkRows([0, ...rest], bytesOf(name));
    const others = rest.map(BigInt);
    return new BufferedRows({ rowBytes, chunkBytes: rows * rowBytes }, {
      // deno-lint-ignore require-await -- so that a failure rejects instead of throwing
      whole: async (bytes, count) => {
        const metadata = { ...type, ...this.#layout([count, ...rest], type) };
        onHeap(module, bytes, (pointer) => this.#create(key, pointer, metadata));
      },
      // deno-lint-ignore require-await
      start: async () => {
        const metadata = {
          ...type,
          shape: [0n, ...others],
          maxshape: [UNLIMITED, ...others],
          chunks: [BigInt(rows), ...others],
          ...this.#gzip && { compression: 1, compression_opts: [4] },
        };
        onHeap(module, new Uint8Array(0), (pointer) => this.#create(key, pointer, metadata));
      },
      // deno-lint-ignore require-await
      append: async (bytes, at) => this.#writeRows(key, { at, rest, bytes, rowBytes }),
    });
  }

  #writeRows(
    key: string,
    block: { at: number; rest: readonly number[]; bytes: Uint8Array; rowBytes: number },
  ): void {
    const { module } = this.#library;
    const rest = block.rest.map(BigInt);
    const count = BigInt(block.bytes.length / block.rowBytes);
    const at = BigInt(block.at);
    onHeap(module, block.bytes, (pointer) =>
      calling(module, () => {
        module.resize_dataset(this.#id, `/${key}`, [at + count, ...rest]);
        const offset = [at, ...rest.map(() => 0n)];
        const strides = [1n, ...rest.map(() => 1n)];
        module.set_dataset_data(this.#id, `/${key}`, [count, ...rest], offset, strides, pointer);
      }));
  }

  /** Why elements of a type cannot be written; undefined where they can. */
  refusal(dtype: Dtype): string | undefined {
    if (dtype.kind === "unsupported") return `elements of type ${dtype.name} cannot be written`;
    if (dtype.kind !== "struct") return undefined;
    const bad = dtype.fields.find((field) =>
      field.shape.length > 0 || !["numeric", "string"].includes(field.dtype.kind)
    );
    return bad && `the field ${bad.name} of a table is neither one number nor one text`;
  }

  /** Finishes the file. */
  finish(): void {
    this.abandon();
    patchBooleans(this.#library.module, this.#path, this.#booleans);
  }

  /** Closes the file as it is. */
  abandon(): void {
    if (this.#open) this.#library.module.close_file(this.#id);
    this.#open = false;
  }
}

/** Rows of a chunk. */
function chunkRows(shape: readonly number[], size: number): number {
  const rowBytes = shape.slice(1).reduce((product, length) => product * length, size);
  return Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, rowBytes)));
}
