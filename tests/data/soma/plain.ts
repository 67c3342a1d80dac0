/** What was read, in a form that is compared; runs in a page too. */
import type { SomaColumn, SomaObject, SomaTable } from "../../../data/soma/mod.ts";

/** A query on X, with its answer. */
export interface ExpectedQuery {
  readonly layer: string;
  readonly query: string;
  readonly rows: number | readonly (number | null)[];
  readonly rows_kind: "slice" | "int" | "list";
  readonly cols: number | readonly (number | null)[];
  readonly cols_kind: "slice" | "int" | "list";
  readonly nnz: number;
  readonly sum: number;
  readonly sha256: string;
}

/** Values of a column as JSON has them: null where one is missing, codes where the answer has only those. */
export function plainColumn(column: SomaColumn, codes = false): unknown[] {
  if (column.kind === "categorical") {
    return Array.from(
      column.codes,
      (code) => code === -1 ? null : codes ? code : column.categories[code],
    );
  }
  return Array.from<unknown, unknown>(
    column.data,
    (value, i) =>
      column.mask?.[i] || Number.isNaN(value)
        ? null
        : column.kind === "boolean"
        ? value === 1
        : value,
  );
}

/** SHA-256 of sparse values: [int64 rows | int64 columns | float32 values], sorted by row and column. */
export async function sparseDigest(table: SomaTable): Promise<string> {
  const [rows, columns] = ["soma_dim_0", "soma_dim_1"].map((name) =>
    table.column(name, "numeric").data as Float64Array
  );
  const values = table.column("soma_data", "numeric").data;
  const width = columns!.reduce((most, value) => Math.max(most, value + 1), 1);
  const keys = rows!.map((row, i) => row * width + columns![i]!);
  const order = Uint32Array.from(keys, (_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
  const bytes = new Uint8Array(20 * order.length);
  const [at0, at1] = [8 * order.length, 16 * order.length];
  const view = new DataView(bytes.buffer);
  order.forEach((from, to) => {
    view.setBigInt64(8 * to, BigInt(rows![from]!), true);
    view.setBigInt64(at0 + 8 * to, BigInt(columns![from]!), true);
    view.setFloat32(at1 + 4 * to, Number(values[from]!), true);
  });
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The coordinates of a recorded query on one axis. */
export function recordedCoords(kind: ExpectedQuery["rows_kind"], value: ExpectedQuery["rows"]) {
  if (kind === "int") return value as number;
  if (kind === "list") return value as readonly number[];
  const [min, max] = value as readonly (number | null)[];
  return { ...min != null && { min }, ...max != null && { max } };
}

/** Values that are asked for by name of the index. */
const EDGE_COORDS: Readonly<
  Record<string, Record<string, { min: string | number; max: string | number }>>
> = {
  "strdim[B..Q]": { gene: { min: "B", max: "Q" } },
  "twodim[c1..c2,10..50]": { louvain: { min: "c1", max: "c2" }, soma_joinid: { min: 10, max: 50 } },
};

/** A table as lists by column. */
export type PlainTable = Record<string, unknown[]>;

/** Reads what a recorded read of a small array asks for: `name`, `name@time` or `name[values]`; the names of its index too. */
export async function readEdge(
  open: (name: string, options: { timestamp?: number }) => Promise<SomaObject>,
  edge: string,
  columns: Readonly<Record<string, { readonly codes: boolean }>>,
): Promise<{ table: PlainTable; index: string[] }> {
  const [, name, time] = /^(\w+)(?:@(\d+))?/.exec(edge)!;
  const array = await open(name!, time === undefined ? {} : { timestamp: Number(time) });
  if (array.type !== "SOMADataFrame" && array.type !== "SOMASparseNDArray") {
    throw new TypeError(`Cannot read ${edge} as it is no table: ${array.type}`);
  }
  const coords = EDGE_COORDS[edge];
  const read = await array.readAll({ columns: Object.keys(columns), ...coords && { coords } });
  const table = Object.fromEntries(
    read.columns().map((name) => [name, plainColumn(read.column(name), columns[name]?.codes)]),
  );
  return { table, index: array.schema.filter(({ index }) => index).map(({ name }) => name) };
}
