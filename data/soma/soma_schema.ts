/** What SOMA arrays say of themselves. */
import { isNumeric } from "./datatype.ts";
import { coordinateOf } from "./mbrs.ts";
import type { MetadataValue } from "./metadata.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** A column of a SOMA array. */
export interface SomaField {
  /** Its name. */
  readonly name: string;
  /** Element type of what is stored: "int64", "float32", "bool", "string". */
  readonly type: string;
  /** Whether it is an index column, by whose values rows are found. */
  readonly index: boolean;
  /** Whether values may be missing. */
  readonly nullable: boolean;
  /** Name of the enumeration that what is stored are places in; undefined where there is none. */
  readonly enumeration: string | undefined;
}

/** Least and greatest coordinate of an index column. */
export interface SomaDomain {
  /** Name of the index column. */
  readonly name: string;
  /** The least coordinate; empty for texts. */
  readonly min: number | string;
  /** The greatest one; empty for texts. */
  readonly max: number | string;
}

/** What all SOMA arrays share: schema and metadata. */
export interface SomaArrayInfo {
  /** Path of the array in its store. */
  readonly path: string;
  /** The columns: index columns first. */
  readonly schema: readonly SomaField[];
  /** The metadata by key. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
}

/** The columns of an array. */
export function fieldsOf({ schema }: TileDbArray): SomaField[] {
  const typeName = (type: TileDbArray["schema"]["attributes"][number]["type"]) =>
    isNumeric(type) ? type.name : type.kind === "text" ? "string" : "bytes";
  return [
    ...schema.dimensions.map(({ name, type }) => ({
      name,
      type: typeName(type),
      index: true,
      nullable: false,
      enumeration: undefined,
    })),
    ...schema.attributes.map(({ name, type, nullable, enumeration }) => ({
      name,
      type: typeName(type),
      index: false,
      nullable,
      enumeration,
    })),
  ];
}

/** The current domain of an array, or the one of its dimensions where it has none. */
export function currentDomain({ schema }: TileDbArray): SomaDomain[] {
  return schema.dimensions.map((dimension, d) => {
    const { name, domain, type } = dimension;
    const current = schema.currentDomain?.[d];
    const bytes = current ??
      (domain === undefined
        ? undefined
        : { min: domain.subarray(0, type.size), max: domain.subarray(type.size) });
    if (bytes === undefined) return { name, min: "", max: "" };
    return {
      name,
      min: coordinateOf(bytes.min, dimension),
      max: coordinateOf(bytes.max, dimension),
    };
  });
}

/** Number of stored cells; more than there are where cells were overwritten or deleted. */
export function storedCells({ fragments }: TileDbArray): number {
  return fragments.reduce(
    (sum, { footer: { tiles, lastCells, schema } }) =>
      sum + (tiles === 0 ? 0 : (tiles - 1) * schema.capacity + lastCells),
    0,
  );
}
