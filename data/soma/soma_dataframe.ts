/** SOMA data frames. */
import type { Enumeration } from "./enumeration.ts";
import type { MetadataValue } from "./metadata.ts";
import { readBatches, readTable, type SomaReadOptions } from "./read_table.ts";
import {
  currentDomain,
  fieldsOf,
  type SomaArrayInfo,
  type SomaDomain,
  type SomaField,
  storedCells,
} from "./soma_schema.ts";
import type { SomaTable } from "./soma_table.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** A table whose rows are found by index columns, and read in batches. */
export class SomaDataFrame implements SomaArrayInfo {
  /** SOMA's name of its type. */
  readonly type = "SOMADataFrame";
  /** Path of the array in its store. */
  readonly path: string;
  /** The columns: index columns first. */
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

  /** Names of the index columns. */
  get indexColumnNames(): readonly string[] {
    return this.schema.filter(({ index }) => index).map(({ name }) => name);
  }

  /** Number of stored rows; an upper bound where rows were overwritten or deleted. */
  get count(): number {
    return storedCells(this.#array);
  }

  /** Range of each index column. */
  get domain(): readonly SomaDomain[] {
    return currentDomain(this.#array);
  }

  /**
   * Streams rows in batches, in the order in which they are stored.
   *
   * @param options Which rows and columns.
   * @throws {ValueFilterError} Where the value filter does not fit the columns.
   * @throws {FormatError} Where the store is damaged, or the batch takes more than `maxMemory`.
   */
  read(options: SomaReadOptions = {}): AsyncGenerator<SomaTable, void, undefined> {
    return readBatches(this.#array, options);
  }

  /** Reads all rows that are asked for into one table. */
  readAll(options: Omit<SomaReadOptions, "batch"> = {}): Promise<SomaTable> {
    return readTable(this.#array, options);
  }

  /** The values of a column's enumeration; undefined where it has none. */
  async enumeration(column: string): Promise<Enumeration | undefined> {
    const name = this.schema.find(({ name }) => name === column)?.enumeration;
    return name === undefined ? undefined : await this.#array.enumeration(name);
  }
}
