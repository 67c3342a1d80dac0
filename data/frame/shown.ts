/** What a frame shows: stored columns, and rows of them. */
import type { Column } from "../column.ts";
import { LazyMap } from "../lazy_map.ts";
import { composeRows, type RowNumbers, takeTexts } from "./take.ts";

/** What a data frame is made of. */
export interface DataFrameParts {
  /** Name of each row. */
  readonly index: readonly string[];
  /** The columns, each as long as the index: values in memory, or columns that are read when asked for. */
  readonly columns?: Readonly<Record<string, Column>> | LazyMap<Column>;
  /** Name of the index, where it has one. */
  readonly indexName?: string;
}

/** What a frame shows. */
export interface Shown {
  /** Number of rows. */
  readonly length: number;
  /** Names of the rows; gathered once, when they are asked for. */
  readonly names: () => readonly string[];
  /** The columns as they are stored, before rows were chosen. */
  readonly stored: LazyMap<Column>;
  /** Rows of the stored columns; undefined where all are shown. */
  readonly rows: Uint32Array | undefined;
  /** The columns of these rows, gathered when they are read. */
  readonly columns: LazyMap<Column>;
}

/** A function that computes once. */
function once<T>(compute: () => T): () => T {
  let value: { readonly it: T } | undefined;
  return () => (value ??= { it: compute() }).it;
}

/** Refuses a column that is not as long as its table. */
export function checkLength(name: string, column: Column, length: number): void {
  if (column.length === length) return;
  throw new RangeError(
    `Cannot use the column ${
      JSON.stringify(name)
    } as it must have ${length} rows: got ${column.length}`,
  );
}

/** All rows of the parts. */
export function shownOf({ index, columns = {} }: DataFrameParts): Shown {
  if (!(columns instanceof LazyMap)) {
    for (const [name, column] of Object.entries(columns)) checkLength(name, column, index.length);
  }
  const stored = columns instanceof LazyMap ? columns : LazyMap.of("column", columns);
  return { length: index.length, names: () => index, stored, rows: undefined, columns: stored };
}

/** Some rows of what is shown, which must exist; their numbers are kept, and nothing is read. */
export function shownRows(shown: Shown, rows: RowNumbers): Shown {
  const { stored, names, rows: below, length } = shown;
  const own = Uint32Array.from(rows);
  const composed = composeRows(below, own);
  return {
    length: own.length,
    names: once(() => takeTexts(names(), own)),
    stored,
    rows: composed,
    columns: stored.map((column, name) => {
      if (below === undefined) checkLength(name, column, length);
      return column.take(composed);
    }),
  };
}

/** Some of the columns that are shown, which must exist. */
export function shownColumns(shown: Shown, names: readonly string[]): Shown {
  return { ...shown, stored: shown.stored.pick(names), columns: shown.columns.pick(names) };
}

/** What is shown with a column added or replaced. */
export function shownWith(shown: Shown, name: string, column: Column): Shown {
  checkLength(name, column, shown.length);
  const columns = shown.columns.with({ [name]: column });
  return { ...shown, stored: columns, rows: undefined, columns };
}
