/**
 * The few operations that encodings need from a container of named arrays, for reading and for writing. HDF5 implements
 * them in `h5ad/`, zarr in `zarr/`.
 */

/** Element types as numpy names them; `string` is text of any length. */
export type NumericDtype =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

/** Element type of a stored array. */
export type Dtype =
  | { readonly kind: "numeric"; readonly name: NumericDtype }
  | { readonly kind: "bool" }
  | { readonly kind: "string" }
  | { readonly kind: "struct"; readonly fields: readonly StructField[] }
  | { readonly kind: "unsupported"; readonly name: string };

/** A named field of a structured element type; `shape` holds the axes of a field that is an array itself. */
export interface StructField {
  /** Name of the field. */
  readonly name: string;
  /** Its element type. */
  readonly dtype: Dtype;
  /** Its axes; empty for one element. */
  readonly shape: readonly number[];
}

/** A typed array as read from storage, with integers of 64 bits as `bigint`. */
export type RawArray =
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** Elements in row-major order. float16 comes as Float32Array, bool as Uint8Array of 0 and 1, a struct as its fields. */
export type ArrayData = RawArray | string[] | { readonly fields: Map<string, ArrayData> };

/** A half-open range of one axis. */
export type Range = readonly [start: number, end: number];

/** Value of an attribute. */
export type AttributeValue = string | number | boolean | string[] | number[];

/** What group and array share. */
interface NodeBase {
  /** Name of the file or store, for messages. */
  readonly file: string;
  /** Key from the root without a leading slash; `/` for the root. */
  readonly key: string;
  /** Attribute by name; undefined where there is none. */
  attribute(name: string): AttributeValue | undefined;
  /** Names of the attributes. */
  attributeNames(): readonly string[];
}

/** A group of named nodes. */
export interface StorageGroup extends NodeBase {
  /** Tells groups from arrays. */
  readonly node: "group";
  /** Names of the children. */
  keys(): readonly string[];
  /** A child, or undefined where there is none. */
  get(name: string): Promise<StorageNode | undefined>;
}

/** How a block is read. */
export interface ReadOptions {
  /** The caller changes nothing in what it gets, which may be memory that later reads use too; false unless told. */
  readonly shared?: boolean;
}

/** An array that is read by ranges. */
export interface StorageArray extends NodeBase {
  /** Tells groups from arrays. */
  readonly node: "array";
  /** Lengths of the axes; empty for a scalar; null for HDF5's null dataspace. */
  readonly shape: readonly number[] | null;
  /** Element type. */
  readonly dtype: Dtype;
  /** Lengths of a chunk, or null where the array is stored in one piece. */
  readonly chunks: readonly number[] | null;
  /** Reads the block given by one range per leading axis, or everything. */
  read(ranges?: readonly Range[], options?: ReadOptions): Promise<ArrayData>;
}

/** A node of a container. */
export type StorageNode = StorageGroup | StorageArray;

/** How an array is stored. */
export interface ArrayOptions {
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: Dtype;
}

/** An array being written that grows along its first axis. */
export interface ArrayStream {
  /** Appends whole rows: values in row-major order. */
  append(values: RawArray): Promise<void>;
  /** Writes what is left; returns the number of rows. */
  finish(): Promise<number>;
}

/** A container being written. Keys have no leading slash; the root's is empty. */
export interface StorageWriter {
  /** Makes a group and the attributes of it. */
  group(key: string, attributes: Readonly<Record<string, AttributeValue>>): Promise<void>;
  /** Sets attributes of a node. */
  attributes(key: string, attributes: Readonly<Record<string, AttributeValue>>): Promise<void>;
  /** Writes a whole array. */
  array(key: string, data: ArrayData, options: ArrayOptions): Promise<void>;
  /** Starts an array of numbers that grows along its first axis; `rest` are the lengths of the other axes. */
  stream(key: string, name: NumericDtype, rest?: readonly number[]): ArrayStream;
  /** Why arrays of an element type cannot be written; undefined where they can. */
  refusal(dtype: Dtype): string | undefined;
}
