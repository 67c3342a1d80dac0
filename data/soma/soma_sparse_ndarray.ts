/** SOMA sparse arrays. */
import { checkOptions } from "../checks.ts";
import type { MetadataValue } from "./metadata.ts";
import { readBatches, readTable, type SomaReadOptions } from "./read_table.ts";
import {
  currentDomain,
  fieldsOf,
  type SomaArrayInfo,
  type SomaField,
  storedCells,
} from "./soma_schema.ts";
import type { SomaTable } from "./soma_table.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** A sparse array of numbers with coordinates `soma_dim_0`, `soma_dim_1`, ... and values `soma_data`. */
export class SomaSparseNDArray implements SomaArrayInfo {
  /** SOMA's name of its type. */
  readonly type = "SOMASparseNDArray";
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

  /** Number of stored values; an upper bound where the array was overwritten or values were deleted. */
  get nnz(): number {
    return storedCells(this.#array);
  }

  /**
   * Streams stored values with their coordinates in batches, in the order in which they are stored.
   *
   * @param options Which of them: `coords` by axis, or a list of them in the order of the axes.
   */
  async *read(options: SomaSparseReadOptions = {}): AsyncGenerator<SomaTable, void, undefined> {
    yield* readBatches(this.#array, this.#named(options));
  }

  /** Reads all values that are asked for into one table. */
  async readAll(options: Omit<SomaSparseReadOptions, "batch"> = {}): Promise<SomaTable> {
    return await readTable(this.#array, this.#named(options));
  }

  #named({ coords = {}, ...options }: SomaSparseReadOptions): SomaReadOptions {
    checkOptions("read a sparse array", options, ["batch", "int64", "signal", "columns"]);
    if (!Array.isArray(coords)) {
      return { ...options, coords: coords as NonNullable<SomaReadOptions["coords"]> };
    }
    if (coords.length > this.shape.length) {
      throw new RangeError(
        `Cannot read a sparse array as coords may have ${this.shape.length} axes: got ${coords.length}`,
      );
    }
    const named = coords.flatMap((wanted, axis) =>
      wanted === undefined || wanted === null ? [] : [[`soma_dim_${axis}`, wanted] as const]
    );
    return { ...options, coords: Object.fromEntries(named) };
  }
}

/** What to read of a sparse array, and how. */
export interface SomaSparseReadOptions extends Omit<SomaReadOptions, "coords" | "valueFilter"> {
  /** Coordinates by axis name, or in the order of the axes; all where one is absent. */
  readonly coords?:
    | NonNullable<SomaReadOptions["coords"]>
    | readonly (NonNullable<SomaReadOptions["coords"]>[string] | undefined)[];
}
