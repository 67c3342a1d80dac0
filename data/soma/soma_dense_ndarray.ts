/** SOMA dense arrays. */
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import { type Box, readDense } from "./dense_query.ts";
import type { MetadataValue } from "./metadata.ts";
import { currentDomain, fieldsOf, type SomaArrayInfo, type SomaField } from "./soma_schema.ts";
import { columnOf, type Int64Form, type SomaNumericColumn } from "./soma_table.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** What to read of a dense array, and how. */
export interface SomaDenseReadOptions {
  /** A coordinate or a range of each axis in order, both ends included; all where one is absent. */
  readonly coords?:
    readonly (number | { readonly min?: number; readonly max?: number } | undefined)[];
  /** How integers of 64 bits come: "number" (an error beyond 2^53) unless given. */
  readonly int64?: Int64Form;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** A box of a dense array. */
export interface SomaDenseBox {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Row-major values: [product of the lengths]. */
  readonly data: SomaNumericColumn["data"] | Uint8Array;
  /** 1 where a value is missing; undefined where none may be. */
  readonly mask: Uint8Array | undefined;
}

/** A dense array of numbers. */
export class SomaDenseNDArray implements SomaArrayInfo {
  /** SOMA's name of its type. */
  readonly type = "SOMADenseNDArray";
  /** Path of the array in its store. */
  readonly path: string;
  /** The columns: `soma_dim_0` ..., then `soma_data`. */
  readonly schema: readonly SomaField[];
  /** The metadata by key. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly #array: TileDbArray;

  /** @internal Made by opening. */
  constructor(array: TileDbArray, metadata: ReadonlyMap<string, MetadataValue>) {
    this.#array = array;
    this.path = array.files.path;
    this.schema = fieldsOf(array);
    this.metadata = metadata;
  }

  /** Length of each axis. */
  get shape(): readonly number[] {
    return currentDomain(this.#array).map(({ max }) => Number(max) + 1);
  }

  /**
   * Reads a box of the array.
   *
   * @param options Which box.
   * @returns Its values; what was never written has the fill value.
   * @throws {RangeError} Where the box is not inside the array.
   */
  async read(options: SomaDenseReadOptions = {}): Promise<SomaDenseBox> {
    checkOptions("read a dense array", options, ["coords", "int64", "signal"]);
    const { coords = [], int64 = "number", signal } = options;
    const box = boxOf(this.shape, coords);
    const place = this.#array.files.place("soma_data");
    const attribute = this.#array.attribute("soma_data");
    if (attribute === undefined) {
      throw new FormatError(
        "missing-key",
        "Cannot read a dense array as it has no soma_data",
        place,
      );
    }
    const { shape, cells } = await readDense(this.#array, attribute, { box, signal });
    const column = columnOf(cells, { int64, place });
    if (column.kind !== "numeric" && column.kind !== "boolean") {
      throw new FormatError(
        "encoding",
        `Cannot read a dense array of ${attribute.type.name}`,
        place,
      );
    }
    return { shape, data: column.data, mask: column.mask };
  }
}

/** The box that is asked for, inside the shape. */
function boxOf(shape: readonly number[], coords: NonNullable<SomaDenseReadOptions["coords"]>): Box {
  if (coords.length > shape.length) {
    throw new RangeError(
      `Cannot read a dense array as it has ${shape.length} axes: got ${coords.length} coords`,
    );
  }
  return shape.map((length, axis) => {
    const wanted = coords[axis] ?? {};
    const { min = 0, max = length - 1 } = typeof wanted === "number"
      ? { min: wanted, max: wanted }
      : wanted;
    const whole = Number.isInteger(min) && Number.isInteger(max);
    if (!whole || min < 0 || min > max || max >= length) {
      throw new RangeError(
        `Cannot read a dense array as 0 <= min <= max < ${length} must hold on axis ${axis}: got ${min} .. ${max}`,
      );
    }
    return { min, max };
  });
}
