/** Fragments: what one write, or a consolidation of several, has left. */
import { FormatError } from "../errors.ts";
import { ByteReader, corrupt, type Place } from "./bytes.ts";
import { timesOf } from "./commits.ts";
import { type Datatype, UINT64 } from "./datatype.ts";
import type { Filter } from "./filters/pipeline.ts";
import { checkVersion, type Field, readRange, type Schema, type StoredRange } from "./schema.ts";

/** Name of the field that holds when each cell was written. */
export const TIMESTAMPS = "__timestamps";

/** Name of the field that holds when each cell was deleted. */
export const DELETE_TIMES = "__delete_timestamps";

/** A field of a fragment, with where its parts are. */
export interface StoredField {
  /** Its name. */
  readonly name: string;
  /** Element type. */
  readonly type: Datatype;
  /** Elements of a cell; undefined where cells are of any length. */
  readonly cellLength: number | undefined;
  /** Filters of its data. */
  readonly filters: readonly Filter[];
  /** Start of its file names. */
  readonly file: string;
  /** Whether it has a file of validity. */
  readonly nullable: boolean;
  /** Its place in the lists of the footer. */
  readonly slot: number;
}

/** A list of the footer with a number for each field. */
type Slots = Float64Array<ArrayBuffer>;

/** What the footer of a fragment's metadata says. */
export interface Footer {
  /** Format version of the fragment. */
  readonly version: number;
  /** Schema that it was written with. */
  readonly schema: Schema;
  /** Dense, or sparse. */
  readonly dense: boolean;
  /** Ranges that its cells lie in, by dimension; undefined where it has none. */
  readonly domain: readonly StoredRange[] | undefined;
  /** Number of tiles, where it is sparse. */
  readonly tiles: number;
  /** Cells of the last tile. */
  readonly lastCells: number;
  /** Whether it holds when each cell was written. */
  readonly hasTimestamps: boolean;
  /** Whether it holds when each cell was deleted. */
  readonly hasDeletes: boolean;
  /** Sizes of the files: data or starts, texts, validity. */
  readonly sizes: { readonly data: Slots; readonly texts: Slots; readonly validity: Slots };
  /** Where lists are in the metadata: the R-tree, and for each field the offsets of its tiles. */
  readonly lists: {
    readonly rtree: number;
    readonly data: Slots;
    readonly texts: Slots;
    readonly validity: Slots;
    readonly conditions: number;
    /** Where other lists start, which is where these end. */
    readonly all: Slots;
  };
}

/** Parses a footer. */
export function parseFooter(
  reader: ByteReader,
  schemas: (name: string) => Schema | undefined,
): Footer {
  const version = reader.u32();
  checkVersion(version, reader.place);
  const name = reader.text(reader.u64());
  const schema = schemas(name);
  if (schema === undefined) throw reader.error(`its schema must be there: got ${name}`);
  const dense = reader.u8() !== 0;
  const domain = reader.u8() === 0
    ? schema.dimensions.map((dimension) => readRange(reader, dimension))
    : undefined;
  const [tiles, lastCells] = [reader.u64(), reader.u64()];
  const [hasTimestamps, hasDeletes] = [reader.u8() !== 0, reader.u8() !== 0];
  const slots = slotCount(schema, { hasTimestamps, hasDeletes });
  const [data, texts, validity] = [reader.u64s(slots), reader.u64s(slots), reader.u64s(slots)];
  const rtree = reader.u64();
  const lists = Array.from({ length: 8 }, () => reader.u64s(slots));
  const [statistics, conditions] = [reader.u64(), reader.u64()];
  const all = Float64Array.from([
    rtree,
    ...lists.flatMap((list) => [...list]),
    statistics,
    conditions,
  ]);
  return {
    version,
    schema,
    dense,
    domain,
    tiles,
    lastCells,
    hasTimestamps,
    hasDeletes,
    sizes: { data, texts, validity },
    lists: {
      rtree,
      data: lists[0]!,
      texts: lists[1]!,
      validity: lists[3]!,
      conditions,
      all: all.sort(),
    },
  };
}

/** Attributes, one place that is no longer used, dimensions, and what consolidation adds. */
function slotCount(
  { attributes, dimensions }: Schema,
  { hasTimestamps, hasDeletes }: { hasTimestamps: boolean; hasDeletes: boolean },
): number {
  return attributes.length + 1 + dimensions.length + Number(hasTimestamps) + 2 * Number(hasDeletes);
}

/** The fields of a fragment by name. */
export function storedFields(footer: Footer): Map<string, StoredField> {
  const { attributes, dimensions, coordFilters } = footer.schema;
  const fields: StoredField[] = [
    ...attributes.map((attribute, slot) => ({ ...attribute, slot })),
    ...dimensions.map((dimension, i) => ({
      ...dimension,
      nullable: false,
      slot: attributes.length + 1 + i,
    })),
  ];
  let slot = attributes.length + 1 + dimensions.length;
  const times = (name: string, file: string) =>
    fields.push({
      name,
      type: UINT64,
      cellLength: 1,
      filters: coordFilters,
      file,
      nullable: false,
      slot: slot++,
    });
  if (footer.hasTimestamps) times(TIMESTAMPS, "t");
  if (footer.hasDeletes) times(DELETE_TIMES, "dt");
  return new Map(fields.map((field) => [field.name, field]));
}

/** Refuses a footer whose numbers cannot be. */
export function checkFooter(footer: Footer, place: Place): void {
  const { tiles, lastCells, schema, dense } = footer;
  if (dense === schema.sparse) {
    throw corrupt(
      `Cannot read a fragment as it must be ${schema.sparse ? "sparse" : "dense"}`,
      place,
    );
  }
  if (!dense && tiles > 0 && (lastCells < 1 || lastCells > schema.capacity)) {
    throw corrupt(
      `Cannot read a fragment as its last tile must have 1 .. ${schema.capacity} cells: got ${lastCells}`,
      place,
    );
  }
}

/** Splits a consolidated metadata file into the footers of its fragments. */
export function splitFooters(bytes: Uint8Array, place: Place): Map<string, ByteReader> {
  const reader = new ByteReader(bytes, place, { what: "consolidated fragment metadata" });
  const count = reader.count(reader.u32(), 16);
  const starts = Array.from({ length: count }, () => {
    const name = reader.text(reader.u64());
    return { name: name.slice(name.lastIndexOf("/") + 1), start: reader.u64() };
  });
  return new Map(starts.map(({ name, start }) => {
    if (start > bytes.length) {
      throw reader.error(`footers must start in the file: got ${start} for ${name}`);
    }
    return [name, new ByteReader(bytes.subarray(start), place, { what: "a footer", base: start })];
  }));
}

/** Cells of a tile of a sparse fragment. */
export function cellsOf({ tiles, lastCells, schema }: Footer, tile: number): number {
  return tile === tiles - 1 ? lastCells : schema.capacity;
}

/** Refuses fragments of other versions by what their names say, before anything of them is read. */
export function checkFragmentName(name: string, place: Place): void {
  timesOf(name, place);
  const version = /_(\d+)$/.exec(name.replace(/^__\d+_\d+_[0-9a-f]+/, ""))?.[1];
  if (version === undefined) {
    throw new FormatError(
      "encoding",
      `Cannot read a fragment as its name must say its format version: got ${name}`,
      place,
    );
  }
  checkVersion(Number(version), place);
}

/** Whether the values of a field are of any length. */
export function isVariable(field: Pick<Field, "cellLength">): boolean {
  return field.cellLength === undefined;
}
