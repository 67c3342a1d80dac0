/** Reading of sparse arrays as batches of table rows. */
import { checkOptions, describeNames } from "../checks.ts";
import {
  checkValueFilter,
  type FilterColumnType,
  filterRows,
  toValueFilter,
} from "./value_filter.ts";
import type { ValueFilter } from "./value_filter_parse.ts";
import { cellCount, type Cells, joinCells, repeatCell, sliceCells } from "./cells.ts";
import type { Enumeration } from "./enumeration.ts";
import { type Coordinates, selectionOf } from "./selection.ts";
import { columnOf, type Int64Form, joinTables, type SomaColumn, SomaTable } from "./soma_table.ts";
import { type CellFilter, readSparse, type SparseQuery, type TileCells } from "./sparse_query.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** What to read of a table, and how. */
export interface SomaReadOptions {
  /** Coordinates by dimension; all where one is absent. Ranges include both ends. */
  readonly coords?: Readonly<Record<string, Coordinates>>;
  /** Names of the columns in the order that they come in; all unless given. */
  readonly columns?: readonly string[];
  /** Which rows, by their values: see {@linkcode parseValueFilter}. */
  readonly valueFilter?: string | ValueFilter;
  /** Rows of a batch (the last may have fewer); 262,144 unless given, and fewer where they would take too much memory. */
  readonly batch?: number;
  /** How integers of 64 bits come: "number" (an error beyond 2^53) unless given. */
  readonly int64?: Int64Form;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

const OPTIONS = ["coords", "columns", "valueFilter", "batch", "int64", "signal"];
const BATCH = 1 << 18;

/** Names of all fields: dimensions, then attributes. */
export function fieldNames({ schema }: TileDbArray): string[] {
  return [...schema.dimensions, ...schema.attributes].map(({ name }) => name);
}

/** Options that were checked against the schema. */
interface TableQuery {
  readonly query: Omit<SparseQuery, "look">;
  readonly enumerations: ReadonlyMap<string, Enumeration>;
  readonly batch: number;
  readonly int64: Int64Form;
}

async function prepare(array: TileDbArray, options: SomaReadOptions): Promise<TableQuery> {
  const act = "read a SOMA array";
  checkOptions(act, options, OPTIONS);
  const { coords = {}, batch = BATCH, int64 = "number", signal } = options;
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`Cannot ${act} as batch must be an integer >= 1: got ${batch}`);
  }
  if (int64 !== "number" && int64 !== "bigint") {
    throw new TypeError(`Cannot ${act} as int64 must be "number" or "bigint": got ${int64}`);
  }
  const fields = options.columns ?? fieldNames(array);
  const unknown = fields.find((name) => !fieldNames(array).includes(name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot ${act} as there is no column ${JSON.stringify(unknown)}: ${
        describeNames(unknown, fieldNames(array))
      }`,
    );
  }
  const { dimensions } = array.schema;
  checkOptions(act, coords, dimensions.map(({ name }) => name));
  const selections = new Map(
    dimensions.flatMap((dimension) => {
      const wanted = coords[dimension.name];
      return wanted === undefined
        ? []
        : [[dimension.name, selectionOf(wanted, dimension)] as const];
    }),
  );
  const { valueFilter } = options;
  const filter = valueFilter === undefined ? undefined : toValueFilter(valueFilter);
  const enumerations = await enumerationsOf(array, [...fields, ...filter?.columns ?? []]);
  const query = {
    fields,
    selections,
    signal,
    filter: filter && cellFilter(array, filter, enumerations),
  };
  return { query, enumerations, batch, int64 };
}

async function enumerationsOf(
  array: TileDbArray,
  fields: readonly string[],
): Promise<Map<string, Enumeration>> {
  const names = [...new Set(fields)].flatMap((field) => {
    const name = array.attribute(field)?.enumeration;
    return name === undefined ? [] : [[field, name] as const];
  });
  return new Map(
    await Promise.all(
      names.map(async ([field, name]) => [field, await array.enumeration(name)] as const),
    ),
  );
}

/** Checks a filter against the columns, and lets it decide on cells. */
function cellFilter(
  array: TileDbArray,
  filter: ValueFilter,
  enumerations: ReadonlyMap<string, Enumeration>,
): CellFilter {
  const fields = [...array.schema.dimensions, ...array.schema.attributes];
  const typeOf = (name: string): FilterColumnType | undefined => {
    const field = fields.find((field) => field.name === name);
    const enumeration = enumerations.get(name);
    if (field === undefined) return undefined;
    if (enumeration !== undefined) {
      return { kind: "categorical", ordered: enumeration.ordered, categories: enumeration.values };
    }
    const { kind } = field.type;
    return { kind: kind === "text" ? "string" : kind === "bool" ? "boolean" : "numeric" };
  };
  checkValueFilter(filter, typeOf, fieldNames(array));
  const place = array.files.place("");
  return {
    fields: filter.columns,
    mark(cells, marks) {
      const columns = new Map(filter.columns.map((name) => {
        const enumeration = enumerations.get(name);
        return [name, columnOf(cells(name), { enumeration, int64: "bigint", place })] as const;
      }));
      const rows = filterRows(filter, (name) => columns.get(name) as never, marks.length);
      for (let i = 0; i < marks.length; i++) marks[i]! &= rows[i]!;
    },
  };
}

/** Reads the rows that are asked for in batches. */
export async function* readBatches(
  array: TileDbArray,
  options: SomaReadOptions = {},
): AsyncGenerator<SomaTable> {
  const { query, enumerations, batch, int64 } = await prepare(array, options);
  const most = array.files.settings.maxMemory / 4;
  const toTable = (cells: ReadonlyMap<string, Cells>, length: number) => {
    const columns = query.fields.map((name): [string, SomaColumn] => {
      const place = array.files.place(name);
      return [
        name,
        columnOf(cells.get(name)!, { enumeration: enumerations.get(name), int64, place }),
      ];
    });
    return new SomaTable(length, new Map(columns));
  };
  const gathered = new Gathered();
  for await (const tile of readSparse(array, query)) {
    gathered.add(tile);
    if (gathered.count < batch && gathered.bytes < most) continue;
    const cells = gathered.take(query.fields);
    let from = 0;
    for (; from + batch <= cells.count; from += batch) {
      query.signal?.throwIfAborted();
      yield toTable(sliceAll(cells.cells, from, from + batch), batch);
    }
    if (from < cells.count) {
      const count = cells.count - from;
      const rest = sliceAll(cells.cells, from, cells.count);
      const bytes = cells.bytes * count / cells.count;
      if (bytes < most) gathered.add({ count, cells: rest, bytes });
      else yield toTable(rest, count);
    }
  }
  if (gathered.count === 0) return;
  const rest = gathered.take(query.fields);
  yield toTable(rest.cells, rest.count);
}

function sliceAll(cells: ReadonlyMap<string, Cells>, from: number, to: number): Map<string, Cells> {
  return new Map(Array.from(cells, ([name, cells]) => {
    const whole = from === 0 && to === cellCount(cells);
    return [name, whole ? cells : sliceCells(cells, from, to)];
  }));
}

/** Cells of tiles that do not fill a batch yet. */
class Gathered {
  #tiles: TileCells[] = [];
  count = 0;
  bytes = 0;

  add(tile: TileCells): void {
    this.#tiles.push(tile);
    this.count += tile.count;
    this.bytes += tile.bytes;
  }

  /** All of them, of which none are left. */
  take(fields: readonly string[]): TileCells {
    const cells = new Map(
      fields.map((field) => [field, joinCells(this.#tiles.map((tile) => tile.cells.get(field)!))]),
    );
    const { count, bytes } = this;
    this.#tiles = [];
    this.count = 0;
    this.bytes = 0;
    return { count, cells, bytes };
  }
}

/** Reads all rows that are asked for into one table. */
export async function readTable(
  array: TileDbArray,
  options: Omit<SomaReadOptions, "batch"> = {},
): Promise<SomaTable> {
  checkOptions("read a SOMA array", options, OPTIONS.filter((name) => name !== "batch"));
  const tables: SomaTable[] = [];
  for await (const table of readBatches(array, options)) tables.push(table);
  if (tables.length > 0) return joinTables(tables);
  const { query, enumerations, int64 } = await prepare(array, options);
  const place = array.files.place("");
  const fields = [...array.schema.dimensions, ...array.schema.attributes];
  return new SomaTable(
    0,
    new Map(query.fields.map((name) => {
      const field = fields.find((field) => field.name === name)!;
      const cells = emptyCells(field);
      return [name, columnOf(cells, { enumeration: enumerations.get(name), int64, place })];
    })),
  );
}

function emptyCells(field: {
  readonly type: Cells["type"];
  readonly cellLength: number | undefined;
  readonly nullable?: boolean;
}): Cells {
  return repeatCell(field, new Uint8Array(0), {
    count: 0,
    valid: field.nullable ? true : undefined,
  });
}
