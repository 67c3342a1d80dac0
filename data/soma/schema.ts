/** The schema of an array: its dimensions, attributes and the filters of their files. */
import { FormatError } from "../errors.ts";
import { ByteReader, type Place } from "./bytes.ts";
import { type Datatype, datatypeOf } from "./datatype.ts";
import { type Filter, readPipeline } from "./filters/pipeline.ts";

/** Number of values of a cell that says that cells have any number of bytes. */
const VARIABLE = 0xffffffff;

/**
 * Format versions of arrays that can be read. All up to 22, the newest that a release writes, are compared with what their libraries read;
 * 23 adds sections after the footers of fragments, which may be passed over.
 */
export const VERSIONS = { first: 16, last: 23 } as const;

/** Refuses arrays of other format versions. */
export function checkVersion(version: number, place: Place): void {
  if (version >= VERSIONS.first && version <= VERSIONS.last) return;
  throw new FormatError(
    "encoding",
    `Cannot read an array as its format version must be in ${VERSIONS.first} .. ${VERSIONS.last}: got ${version}`,
    place,
  );
}

/** A dimension or an attribute. */
export interface Field {
  /** Its name. */
  readonly name: string;
  /** Element type. */
  readonly type: Datatype;
  /** Elements of a cell; undefined where cells are of any length. */
  readonly cellLength: number | undefined;
  /** Filters of its data. */
  readonly filters: readonly Filter[];
  /** Start of its file names: "a0", "d1". */
  readonly file: string;
}

/** A dimension. */
export interface Dimension extends Field {
  /** Least and greatest coordinate as stored; undefined for texts. */
  readonly domain: Uint8Array | undefined;
  /** Length of a space tile as stored; undefined where there is none. */
  readonly extent: Uint8Array | undefined;
}

/** An attribute. */
export interface Attribute extends Field {
  /** Whether cells may be missing. */
  readonly nullable: boolean;
  /** Bytes of a cell that was never written. */
  readonly fill: Uint8Array;
  /** Whether such a cell is valid, where it may be missing. */
  readonly fillValid: boolean;
  /** Name of the enumeration that its values are places in. */
  readonly enumeration: string | undefined;
}

/** A schema. */
export interface Schema {
  /** Name of its file. */
  readonly name: string;
  /** Format version. */
  readonly version: number;
  /** Whether cells of equal coordinates are all kept. */
  readonly allowsDuplicates: boolean;
  /** Sparse, or dense. */
  readonly sparse: boolean;
  /** Order of space tiles. */
  readonly tileOrder: Order;
  /** Order of cells in a tile. */
  readonly cellOrder: Order;
  /** Cells of a tile of a sparse array. */
  readonly capacity: number;
  /** Filters of timestamps. */
  readonly coordFilters: readonly Filter[];
  /** Filters of starts. */
  readonly offsetFilters: readonly Filter[];
  /** Filters of validity. */
  readonly validityFilters: readonly Filter[];
  /** The dimensions. */
  readonly dimensions: readonly Dimension[];
  /** The attributes. */
  readonly attributes: readonly Attribute[];
  /** Files of the enumerations by their names. */
  readonly enumerations: ReadonlyMap<string, string>;
  /** Bounds of the current domain as stored, by dimension; undefined where there is none. */
  readonly currentDomain: readonly StoredRange[] | undefined;
}

/** Orders of cells and tiles. */
export type Order = "row-major" | "column-major" | "hilbert" | "other";

const ORDERS: readonly Order[] = ["row-major", "column-major", "other", "other", "hilbert"];

/** A range of one dimension as stored. */
export interface StoredRange {
  /** The least value. */
  readonly min: Uint8Array;
  /** The greatest value. */
  readonly max: Uint8Array;
}

/** Reads a range of a dimension. */
export function readRange(reader: ByteReader, { type, cellLength }: Field): StoredRange {
  if (cellLength !== undefined) {
    return { min: reader.bytes(type.size), max: reader.bytes(type.size) };
  }
  const length = reader.u64();
  const first = reader.u64();
  if (first > length) throw reader.error(`a range has ${length} bytes: its minimum has ${first}`);
  return { min: reader.bytes(first), max: reader.bytes(length - first) };
}

/** Parses the file of a schema. */
export function parseSchema(bytes: Uint8Array, name: string, place: Place): Schema {
  const reader = new ByteReader(bytes, place, { what: "a schema" });
  const version = reader.u32();
  checkVersion(version, place);
  const allowsDuplicates = reader.u8() !== 0;
  const sparse = reader.u8() === 1;
  const [tileOrder, cellOrder] = [readOrder(reader), readOrder(reader)];
  const capacity = reader.u64();
  const [coordFilters, offsetFilters, validityFilters] = [
    readPipeline(reader, version),
    readPipeline(reader, version),
    readPipeline(reader, version),
  ];
  const dimensions = Array.from(
    { length: reader.count(reader.u32(), 26) },
    (_, i) => readDimension(reader, version, { file: `d${i}`, filters: coordFilters }),
  );
  const attributes = Array.from(
    { length: reader.count(reader.u32(), 26) },
    (_, i) => readAttribute(reader, version, `a${i}`),
  );
  if (version >= 18 && reader.u32() !== 0) {
    throw new FormatError("encoding", "Cannot read an array as it has dimension labels", place);
  }
  const enumerations = version >= 20 ? readEnumerations(reader) : new Map<string, string>();
  const currentDomain = version >= 22 ? readCurrentDomain(reader, dimensions) : undefined;
  return {
    name,
    version,
    allowsDuplicates,
    sparse,
    tileOrder,
    cellOrder,
    capacity,
    coordFilters,
    offsetFilters,
    validityFilters,
    dimensions,
    attributes,
    enumerations,
    currentDomain,
  };
}

function readOrder(reader: ByteReader): Order {
  return ORDERS[reader.u8()] ?? "other";
}

function readCellLength(reader: ByteReader): number | undefined {
  const length = reader.u32();
  if (length === 0) throw reader.error("a cell must have a value: got 0");
  return length === VARIABLE ? undefined : length;
}

function readDimension(
  reader: ByteReader,
  version: number,
  options: { readonly file: string; readonly filters: readonly Filter[] },
): Dimension {
  const name = reader.text(reader.u32());
  const type = datatypeOf(reader.u8(), reader.place);
  const cellLength = readCellLength(reader);
  const own = readPipeline(reader, version);
  const domain = reader.bytes(reader.u64());
  const extent = reader.u8() === 0 ? reader.bytes(type.size) : undefined;
  const fixed = cellLength !== undefined;
  if (fixed && (cellLength !== 1 || domain.length !== 2 * type.size)) {
    throw reader.error(`the dimension ${name} must have one value a cell and a domain`);
  }
  return {
    name,
    type,
    cellLength,
    filters: own.length > 0 ? own : options.filters,
    file: options.file,
    domain: fixed ? domain : undefined,
    extent,
  };
}

function readAttribute(reader: ByteReader, version: number, file: string): Attribute {
  const name = reader.text(reader.u32());
  const type = datatypeOf(reader.u8(), reader.place);
  const cellLength = readCellLength(reader);
  const filters = readPipeline(reader, version);
  const fill = reader.bytes(reader.u64());
  const nullable = reader.u8() !== 0;
  const fillValid = reader.u8() !== 0;
  if (version >= 17) reader.u8(); // the order of labels
  const enumeration = version >= 20 ? reader.text(reader.u32()) : "";
  if (cellLength !== undefined && fill.length !== cellLength * type.size) {
    throw reader.error(`the fill value of ${name} must be a cell: got ${fill.length} bytes`);
  }
  return {
    name,
    type,
    cellLength,
    filters,
    file,
    nullable,
    fill,
    fillValid,
    enumeration: enumeration || undefined,
  };
}

function readEnumerations(reader: ByteReader): Map<string, string> {
  const count = reader.count(reader.u32(), 8);
  return new Map(
    Array.from({ length: count }, () => [reader.text(reader.u32()), reader.text(reader.u32())]),
  );
}

function readCurrentDomain(
  reader: ByteReader,
  dimensions: readonly Dimension[],
): StoredRange[] | undefined {
  reader.u32(); // version of its own, 0 or 1 so far
  if (reader.u8() !== 0) return undefined;
  const kind = reader.u8();
  if (kind !== 0) throw reader.error(`a current domain must be a rectangle: got kind ${kind}`);
  return dimensions.map((dimension) => readRange(reader, dimension));
}
