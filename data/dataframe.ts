/** Tables of typed columns: AnnData's obs and var. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  type ColumnKind,
  type ColumnOf,
  NumericColumn,
  selectColumn,
  StringColumn,
} from "./column.ts";
import { LazyMap } from "./lazy_map.ts";
import { checkIndices, checkOptions, describeNames } from "./checks.ts";

/** What a data frame is made of. */
export interface DataFrameParts {
  /** Name of each row. */
  readonly index: readonly string[];
  /** The columns, each as long as the index: values in memory, or columns that are read when asked for. */
  readonly columns?: Readonly<Record<string, Column>> | LazyMap<Column>;
  /** Name of the index, where it has one. */
  readonly indexName?: string;
}

/** The columns of a frame as they are read, for writing them. */
export let columnsOf: (frame: DataFrame) => LazyMap<Column>;

/** A table with named rows whose columns are read when they are asked for. Frames do not change: see {@linkcode DataFrame.with}. */
export class DataFrame {
  /** Name of each row. */
  readonly index: readonly string[];
  /** Name of the index; undefined where it has none. */
  readonly indexName: string | undefined;
  readonly #columns: LazyMap<Column>;

  static {
    columnsOf = (frame) => frame.#columns;
  }

  /**
   * Makes a frame.
   *
   * @param parts Index and columns.
   * @throws {RangeError} Where a column in memory is not as long as the index.
   *
   * @example Typed columns
   * ```ts
   * import assert from "node:assert/strict";
   * import { CategoricalColumn, DataFrame } from "@scgpt/sdk/data";
   *
   * const obs = new DataFrame({
   *   index: ["cell1", "cell2"],
   *   columns: { cell_type: CategoricalColumn.from(["T cell", null]) },
   * });
   * const cellType = await obs.column("cell_type", "categorical");
   * assert.deepEqual([...cellType.values()], ["T cell", null]);
   * await assert.rejects(obs.column("cell_type", "numeric"), TypeError);
   * ```
   */
  constructor(parts: DataFrameParts) {
    checkOptions("make a data frame", parts, ["index", "columns", "indexName"]);
    this.index = parts.index;
    this.indexName = parts.indexName;
    const { columns = {} } = parts;
    if (columns instanceof LazyMap) {
      this.#columns = columns;
    } else {
      for (const [name, column] of Object.entries(columns)) this.#checkLength(name, column);
      this.#columns = LazyMap.of("column", columns);
    }
  }

  /** Number of rows. */
  get length(): number {
    return this.index.length;
  }

  /** Names of the columns in order. */
  columns(): readonly string[] {
    return this.#columns.keys();
  }

  /** Whether there is a column of this name. */
  has(name: string): boolean {
    return this.#columns.has(name);
  }

  /**
   * Reads a column and checks its kind.
   *
   * @param name Name of the column.
   * @param kind The kind it must have.
   * @returns The column.
   * @throws {RangeError} Where there is no such column; the message lists those there are.
   * @throws {TypeError} Where it is of another kind.
   */
  column<K extends ColumnKind>(name: string, kind: K): Promise<ColumnOf[K]>;
  /** Reads a column of any kind. */
  column(name: string): Promise<Column>;
  async column(name: string, kind?: ColumnKind): Promise<Column> {
    if (!this.has(name)) {
      throw new RangeError(
        `Cannot read the column ${JSON.stringify(name)} as there is none: ${
          describeNames(name, this.columns())
        }`,
      );
    }
    const column = await this.#columns.need(name);
    this.#checkLength(name, column);
    if (kind !== undefined && column.kind !== kind) {
      throw new TypeError(
        `Cannot read the column ${JSON.stringify(name)} as ${kind}: it is ${column.kind}`,
      );
    }
    return column;
  }

  /**
   * A frame with a column added or replaced.
   *
   * @param name Name of the column.
   * @param column The column, as long as the frame; an array of text or truth values or a typed array is made into one.
   * @returns A new frame; this one stays as it is.
   * @throws {RangeError} Where the lengths differ.
   */
  with(name: string, column: Column | ColumnValues): DataFrame {
    const made = toColumn(column);
    this.#checkLength(name, made);
    return this.#withColumns(this.index, this.#columns.with({ [name]: made }));
  }

  /** The rows of these indices, in this order. */
  select(rows: ArrayLike<number>): DataFrame {
    checkIndices(rows, this.length, { act: "select rows of a data frame", unique: false });
    return this.#withColumns(
      Array.from(rows, (row) => this.index[row]!),
      this.#columns.map((column) => selectColumn(column, rows)),
    );
  }

  #withColumns(index: readonly string[], columns: LazyMap<Column>): DataFrame {
    const { indexName } = this;
    return new DataFrame({ index, columns, ...indexName !== undefined && { indexName } });
  }

  #checkLength(name: string, column: Column): void {
    if (column.length !== this.index.length) {
      throw new RangeError(
        `Cannot use the column ${
          JSON.stringify(name)
        } as it must have ${this.index.length} rows: got ${column.length}`,
      );
    }
  }
}

/** Plain values that {@linkcode DataFrame.with} makes a column of. */
export type ColumnValues =
  | readonly string[]
  | readonly boolean[]
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

/** A column of plain values. */
function toColumn(values: Column | ColumnValues): Column {
  if (
    values instanceof NumericColumn || values instanceof BooleanColumn ||
    values instanceof StringColumn || values instanceof CategoricalColumn
  ) return values;
  if (values instanceof Int32Array) {
    return new NumericColumn(Float64Array.from(values), { dtype: "int32" });
  }
  if (values instanceof Float32Array || values instanceof Float64Array) {
    return new NumericColumn(values);
  }
  if (values.every((value) => typeof value === "boolean")) {
    return new BooleanColumn(values as boolean[]);
  }
  return new StringColumn(values as string[]);
}
