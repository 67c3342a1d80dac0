/** Tables of typed columns: AnnData's obs and var. */
import { checkIndices, checkOptions, describeNames } from "./checks.ts";
import type { Column } from "./column.ts";
import { matchRows } from "./filter/evaluate.ts";
import { parseFilter } from "./filter/parse.ts";
import type { Filter } from "./filter/template.ts";
import { GroupBy, type GroupByOptions } from "./frame/group_by.ts";
import {
  concatColumns,
  type JoinOptions,
  joinTables,
  type StackOptions,
} from "./frame/join_columns.ts";
import { FrameQuery } from "./frame/query.ts";
import { recordsOf } from "./frame/records.ts";
import {
  checkSchema,
  checkType,
  type ColumnFor,
  type ColumnType,
  type Extended,
  type NameOf,
  type RecordOf,
  type Schema,
  type Stated,
  typeOf,
} from "./frame/schema.ts";
import {
  checkLength,
  type DataFrameParts,
  type Shown,
  shownColumns,
  shownOf,
  shownRows,
  shownWith,
} from "./frame/shown.ts";
import { checkSort, type SortOptions, sortOrder } from "./frame/sort.ts";
import {
  type CountedSchema,
  countPairs,
  countValues,
  type CrosstabOptions,
  describeColumns,
  describedNames,
  type ValueCountsOptions,
} from "./frame/tables.ts";
import { keptRows, type RowNumbers } from "./frame/take.ts";
import { tableText } from "./frame/text.ts";
import { type ColumnValues, toColumn, type TypeOfValues } from "./frame/values.ts";
import type { LazyMap } from "./lazy_map.ts";

/** The columns of a frame as they are read, for writing them. */
export let columnsOf: (frame: DataFrame) => LazyMap<Column>;

/**
 * A table with named rows whose columns are read when they are asked for. Frames do not change: verbs give new ones over
 * the same columns, and a choice of rows keeps their numbers alone until a column is read. Verbs that have pandas' names
 * follow its rules; a masked value and NaN both count as no value in them. `S` says which columns are known and what they hold.
 *
 * What a verb makes of `S` is a type parameter with a default, `R`, as the compiler could not prove otherwise that a frame of
 * more columns is a frame of fewer.
 */
export class DataFrame<out S extends Schema = Schema> {
  /** Makes a frame of some columns different from one of others, for the compiler alone. */
  declare readonly "~schema": S;
  /** Name of the index; undefined where it has none. */
  readonly indexName: string | undefined;
  #shown: Shown;

  static {
    columnsOf = (frame) => frame.#shown.columns;
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
    this.indexName = parts.indexName;
    this.#shown = shownOf(parts);
  }

  /**
   * Puts frames one below the other: numbers take a type that holds all of them, and labels all categories.
   *
   * @param frames The frames from top to bottom.
   * @param options Which columns are kept: those of all frames (`inner`), or all; rows that lack one have no value in it.
   * @throws {TypeError} When a column is read whose kinds do not mix.
   */
  static concat(frames: readonly DataFrame[], options: StackOptions = {}): DataFrame {
    checkOptions("concatenate frames", options, ["join"]);
    const tables = frames.map((frame) => ({ length: frame.length, columns: columnsOf(frame) }));
    return new DataFrame({
      index: frames.flatMap((frame) => frame.index),
      columns: concatColumns(tables, options.join ?? "outer"),
    });
  }

  /** Name of each row. */
  get index(): readonly string[] {
    return this.#shown.names();
  }

  /** Number of rows. */
  get length(): number {
    return this.#shown.length;
  }

  /** Names of the columns in order. */
  columns(): readonly string[] {
    return this.#shown.columns.keys();
  }

  /** Whether there is a column of this name. */
  has(name: string): boolean {
    return this.#shown.columns.has(name);
  }

  /**
   * Reads a column.
   *
   * @param name Name of the column.
   * @param type The kind or element type that it must have; that of the schema unless told.
   * @returns The column.
   * @throws {RangeError} Where there is no such column; the message lists those there are.
   * @throws {TypeError} Where it is of another type.
   */
  column<N extends NameOf<S>, R extends Column = ColumnFor<S[N]>>(name: N): Promise<NoInfer<R>>;
  /** Reads a column and checks its type. */
  column<N extends NameOf<S>, T extends ColumnType>(name: N, type: T): Promise<ColumnFor<T>>;
  async column(name: string, type?: ColumnType): Promise<Column> {
    this.#checkNames("read", [name]);
    const column = await this.#shown.columns.need(name);
    checkLength(name, column, this.length);
    if (type !== undefined) checkType(name, typeOf(column), type);
    return column;
  }

  /**
   * The frame with the types of columns stated, which the compiler then knows.
   *
   * @param schema A kind (`"categorical"`, `"string"`, `"boolean"`, `"numeric"`) or an element type (`"int32"`) for each column
   *   that is to be known; the others stay.
   * @throws {RangeError} Where there is no such column.
   * @throws {TypeError} Where a column is of another type.
   *
   * @example A column whose type the editor knows
   * ```ts
   * import assert from "node:assert/strict";
   * import { DataFrame } from "@scgpt/sdk/data";
   *
   * const frame = new DataFrame({ index: ["a", "b"] }).with("n_genes", Int32Array.of(3, 4));
   * const typed = await frame.typed({ n_genes: "int32" });
   * const { data } = await typed.column("n_genes"); // a numeric column; another name would not compile
   * assert.deepEqual([...data], [3, 4]);
   * await assert.rejects(frame.typed({ n_genes: "categorical" }), TypeError);
   * ```
   */
  async typed<const T extends Schema, R extends Schema = Stated<S, T>>(
    schema: T,
  ): Promise<DataFrame<NoInfer<R>>> {
    await checkSchema(this.#shown.stored, schema);
    return this.#over(this.#shown);
  }

  /**
   * A frame with a column added or replaced.
   *
   * @param name Name of the column.
   * @param column The column, as long as the frame; an array of text or truth values or a typed array is made into one.
   * @returns A new frame; this one stays as it is.
   * @throws {RangeError} Where the lengths differ.
   */
  with<
    const N extends string,
    V extends Column | ColumnValues,
    R extends Schema = Extended<S, { readonly [K in N]: TypeOfValues<V> }>,
  >(name: N, column: V): DataFrame<NoInfer<R>> {
    return this.#over(shownWith(this.#shown, name, toColumn(column)));
  }

  /** Some columns, in this order; throws `RangeError` where there is no such column. */
  select<const N extends NameOf<S>, R extends Schema = Pick<S, N>>(
    names: readonly N[],
  ): DataFrame<NoInfer<R>> {
    this.#checkNames("select", names);
    return this.#over(shownColumns(this.#shown, names));
  }

  /**
   * The rows of these numbers, in this order; a row may repeat. Nothing is read.
   *
   * @throws {RangeError} Where there is no such row.
   */
  take(rows: RowNumbers): DataFrame<S> {
    checkIndices(rows, this.length, { act: "take rows of a data frame", unique: false });
    return this.#over(shownRows(this.#shown, rows));
  }

  /** The first rows, with all columns read. */
  async head(rows = 5): Promise<DataFrame<S>> {
    return await this.#slice(0, Math.min(rows, this.length)).#read();
  }

  /** The last rows, with all columns read. */
  async tail(rows = 5): Promise<DataFrame<S>> {
    return await this.#slice(Math.max(0, this.length - rows), this.length).#read();
  }

  /**
   * The rows for which a filter holds: see {@linkcode where} for filters with values, or give the text of one.
   *
   * @returns A query to await, or to chain.
   * @throws {SyntaxError} Where the text is no filter.
   * @throws {RangeError} When awaited, where a column is missing.
   * @throws {TypeError} When awaited, where a column cannot be compared so.
   */
  filter(filter: Filter | string): FrameQuery<S> {
    const parsed = typeof filter === "string" ? parseFilter(filter) : filter;
    return new FrameQuery(async () => this.take(keptRows(await matchRows(parsed, this.#open()))));
  }

  /** The rows in the order of a column, or of several, to await or to chain; equal rows keep their order, categories have theirs. */
  sort(by: NameOf<S> | readonly NameOf<S>[], options: SortOptions = {}): FrameQuery<S> {
    checkOptions("sort", options, ["ascending", "naPosition"]);
    const names = typeof by === "string" ? [by] : by;
    checkSort(names.length, options);
    return new FrameQuery(async () => {
      const columns = await this.#columns(names);
      return this.take(sortOrder(columns, this.length, options));
    });
  }

  /**
   * Groups the rows by one column or several.
   *
   * @example Genes by cell type
   * ```ts
   * import assert from "node:assert/strict";
   * import { CategoricalColumn, DataFrame } from "@scgpt/sdk/data";
   *
   * const obs = new DataFrame({ index: ["c1", "c2", "c3"] })
   *   .with("cell_type", CategoricalColumn.from(["T", "B", "T"]))
   *   .with("n_genes", Int32Array.of(10, 20, 40));
   * const table = await obs.groupBy("cell_type").agg({ cells: "size", mean: ["n_genes", "mean"] });
   * assert.deepEqual(await table.toRecords(), [
   *   { cell_type: "B", cells: 1, mean: 20 },
   *   { cell_type: "T", cells: 2, mean: 25 },
   * ]);
   * ```
   */
  groupBy<const K extends NameOf<S>>(
    by: K | readonly K[],
    options: GroupByOptions = {},
  ): GroupBy<S, K> {
    checkOptions("group rows", options, ["observed"]);
    const keys = typeof by === "string" ? [by] : by;
    this.#checkNames("group by", keys);
    const make = (parts: DataFrameParts): DataFrame => new DataFrame(parts);
    return new GroupBy(this, keys, { ...options, make });
  }

  /**
   * Puts the columns of another frame beside these, by the names of the rows, as pandas' `join`: every pair of rows of one
   * name; "outer" sorts by name. Rows that a frame lacks have no values in its columns.
   *
   * @throws {RangeError} Where both have a column of one name and no suffix tells them apart.
   */
  join<T extends Schema, R extends Schema = Extended<S, T>>(
    other: DataFrame<T>,
    options?: Omit<JoinOptions, "lsuffix" | "rsuffix">,
  ): DataFrame<NoInfer<R>>;
  /** Joins with renamed columns, whose types are then not known. */
  join(other: DataFrame, options: JoinOptions): DataFrame;
  join<T extends Schema>(other: DataFrame<T>, options: JoinOptions = {}): DataFrame {
    const right = { index: other.index, columns: columnsOf(other) };
    return new DataFrame(
      joinTables({ index: this.index, columns: columnsOf(this) }, right, options),
    );
  }

  /** Counts each value of a column, the most frequent first; categories without rows count 0. */
  async valueCounts<
    const N extends NameOf<S>,
    const O extends ValueCountsOptions,
    R extends Schema = CountedSchema<S, N, O>,
  >(name: N, options?: O): Promise<DataFrame<NoInfer<R>>> {
    checkOptions("count values", options ?? {}, ["normalize", "sort"]);
    const [column] = await this.#columns([name]);
    return new DataFrame(countValues(name, column!, options ?? {}));
  }

  /** Counts pairs of values: a row for each value of the first column, a column for each of the second. */
  async crosstab(
    rows: NameOf<S>,
    columns: NameOf<S>,
    options: CrosstabOptions = {},
  ): Promise<DataFrame<Readonly<Record<string, "numeric">>>> {
    checkOptions("count pairs", options, ["normalize"]);
    const [down, across] = await this.#columns([rows, columns]);
    return new DataFrame(countPairs(down!, across!, options));
  }

  /** Count, mean, deviation (n - 1) and quartiles of each numeric column, or count, unique, top and freq where none is. */
  async describe(): Promise<DataFrame> {
    const names = await describedNames(this.#shown.stored);
    const columns = await this.#columns(names);
    return new DataFrame(describeColumns(names.map((name, k) => [name, columns[k]!] as const)));
  }

  /** The rows as objects of the columns' values, null where one is masked. */
  toRecords<R extends object = RecordOf<S>>(): Promise<NoInfer<R>[]>;
  /** The rows as objects, with the row's name under a key of its own. */
  toRecords<const I extends string, R extends object = RecordOf<S> & { [K in I]: string }>(
    options: { index: I },
  ): Promise<NoInfer<R>[]>;
  async toRecords(options: { index?: string } = {}): Promise<object[]> {
    checkOptions("make records", options, ["index"]);
    const names = this.columns();
    const columns = await this.#columns(names);
    const pairs = names.map((name, k) => [name, columns[k]!] as const);
    return recordsOf(pairs, this.index, options.index);
  }

  /** The frame as text: types, first and last rows of the columns that are in memory, which {@linkcode head} makes sure of. */
  toString(): string {
    const { columns } = this.#shown;
    return tableText({
      index: this.index,
      columns: columns.keys().map((name) => [name, columns.loaded(name)] as const),
    });
  }

  /** What Deno's console shows. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** A frame that shows something else under the same index name. */
  #over<T extends Schema>(shown: Shown): DataFrame<T> {
    const { indexName } = this;
    const frame = new DataFrame<T>({ index: [], ...indexName !== undefined && { indexName } });
    frame.#shown = shown;
    return frame;
  }

  /** The frame for code that does not know its schema. */
  #open(): DataFrame {
    return this.#over(this.#shown);
  }

  #slice(start: number, end: number): DataFrame<S> {
    return this.take(Uint32Array.from({ length: Math.max(0, end - start) }, (_, k) => start + k));
  }

  async #read(): Promise<this> {
    await this.#columns(this.columns());
    return this;
  }

  #columns(names: readonly string[]): Promise<Column[]> {
    const open = this.#open();
    return Promise.all(names.map((name) => open.column(name)));
  }

  #checkNames(act: string, names: readonly string[]): void {
    for (const name of names) {
      if (this.has(name)) continue;
      throw new RangeError(
        `Cannot ${act} the column ${JSON.stringify(name)} as there is none: ${
          describeNames(name, this.columns())
        }`,
      );
    }
  }
}
