/** Columns of two tables side by side, and of several one below the other. */
import { checkOptions } from "../checks.ts";
import type { Column } from "../column.ts";
import { LazyMap } from "../lazy_map.ts";
import { stackColumns } from "./concat.ts";
import { type JoinedRows, type JoinHow, joinRows } from "./join.ts";
import type { DataFrameParts } from "./shown.ts";
import { takeTexts } from "./take.ts";

/** How tables are joined. */
export interface JoinOptions {
  /** Which names are kept: those of the left table unless told. */
  readonly how?: JoinHow;
  /** Added to a column's name of the left table where the right one has it too. */
  readonly lsuffix?: string;
  /** Added to a column's name of the right table where the left one has it too. */
  readonly rsuffix?: string;
}

/** How frames are put one below the other. */
export interface StackOptions {
  /** Which columns are kept: those that all frames have, or all; all unless told. */
  readonly join?: "inner" | "outer";
}

/** Refuses options that no join has. */
function checkJoin(options: JoinOptions): void {
  checkOptions("join", options, ["how", "lsuffix", "rsuffix"]);
  const { how = "left" } = options;
  if (how === "inner" || how === "left" || how === "outer") return;
  throw new RangeError(
    `Cannot join as how must be "inner", "left" or "outer": got ${JSON.stringify(how)}`,
  );
}

/** The columns of both tables, renamed where both have one of a name. */
function joinColumns(
  left: LazyMap<Column>,
  right: LazyMap<Column>,
  options: { rows: JoinedRows; lsuffix: string; rsuffix: string },
): LazyMap<Column> {
  const { rows, lsuffix, rsuffix } = options;
  const both = left.keys().filter((name) => right.has(name));
  const named = (map: LazyMap<Column>, suffix: string, numbers: Int32Array) =>
    Array.from(
      map.map((column) => column.take(numbers)).entries(),
      ([name, entry]) => [both.includes(name) ? name + suffix : name, entry] as const,
    );
  const entries = [...named(left, lsuffix, rows.left), ...named(right, rsuffix, rows.right)];
  const names = entries.map(([name]) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) {
    throw new RangeError(
      `Cannot join as lsuffix and rsuffix must tell columns of one name apart: got ${
        JSON.stringify(twice)
      } twice`,
    );
  }
  return new LazyMap("column", entries);
}

/** A table whose columns are read when they are asked for. */
interface LazyTable {
  readonly index: readonly string[];
  readonly columns: LazyMap<Column>;
}

/**
 * Joins two tables by the names of their rows; nothing but the names is read.
 *
 * @throws {RangeError} Where both have a column of one name and no suffix tells them apart.
 */
export function joinTables(
  left: LazyTable,
  right: LazyTable,
  options: JoinOptions,
): DataFrameParts {
  checkJoin(options);
  const { how = "left", lsuffix = "", rsuffix = "" } = options;
  const rows = joinRows(left.index, right.index, how);
  return {
    // A left join has every left row in its order, so that as many rows are the same ones.
    index: how === "left" && rows.left.length === left.index.length
      ? left.index
      : joinedNames(left.index, right.index, rows),
    columns: joinColumns(left.columns, right.columns, { rows, lsuffix, rsuffix }),
  };
}

/** Name of each pair of rows, of which one at least is there. */
function joinedNames(
  left: readonly string[],
  right: readonly string[],
  rows: JoinedRows,
): string[] {
  const names = takeTexts(left, rows.left);
  for (let k = 0; k < names.length; k++) if (rows.left[k]! < 0) names[k] = right[rows.right[k]!]!;
  return names;
}

/** The columns of tables one below the other; a table that lacks one has no values in it. */
export function concatColumns(
  tables: readonly { readonly length: number; readonly columns: LazyMap<Column> }[],
  join: "inner" | "outer",
  options: { natural?: boolean } = {},
): LazyMap<Column> {
  const all = [...new Set(tables.flatMap(({ columns }) => columns.keys()))];
  const names = join === "outer"
    ? all
    : all.filter((name) => tables.every(({ columns }) => columns.has(name)));
  return new LazyMap(
    "column",
    names.map((name) => {
      const load = async (): Promise<Column> => {
        const parts = await Promise.all(
          tables.map(async ({ length, columns }) => ({ length, column: await columns.get(name) })),
        );
        try {
          return stackColumns(parts, options);
        } catch (cause) {
          if (!(cause instanceof TypeError)) throw cause;
          throw new TypeError(`${cause.message} (column ${JSON.stringify(name)})`, { cause });
        }
      };
      return [name, { load }] as const;
    }),
  );
}
