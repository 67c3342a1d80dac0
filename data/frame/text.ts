/** Tables as text: for consoles and logs. */
import type { Column } from "../column.ts";
import { typeOf } from "./schema.ts";

/** What is shown of a table. */
export interface TableView {
  /** Name of each row. */
  readonly index: readonly string[];
  /** Name of each column and the column, undefined where it is not in memory. */
  readonly columns: readonly (readonly [string, Column | undefined])[];
}

/** Rows shown from each end of a long table. */
const END_ROWS = 5;

/** Characters of a line. */
const LINE = 100;

/** Characters of a value. */
const WIDTH = 24;

function clip(text: string): string {
  const line = text.replace(/[\n\r\t]/g, " ");
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line;
}

function valueText(value: string | number | boolean | null): string {
  if (typeof value !== "number" || Number.isInteger(value)) return clip(String(value));
  return String(Number(value.toPrecision(6)));
}

/** Rows to show, -1 where some are left out. */
function shownRows(length: number): number[] {
  if (length <= 2 * END_ROWS + 1) return Array.from({ length }, (_, row) => row);
  const first = Array.from({ length: END_ROWS }, (_, row) => row);
  return [...first, -1, ...first.map((row) => length - END_ROWS + row)];
}

/** Cells of a column from top to bottom, all of one width. */
function cellsOf(name: string, column: Column | undefined, rows: readonly number[]): string[] {
  const cell = (row: number) => row < 0 || column === undefined ? "…" : valueText(column.at(row));
  const type = column === undefined ? "not read" : typeOf(column);
  const cells = [clip(name), type, ...rows.map(cell)];
  const width = Math.max(...cells.map((text) => text.length));
  const numeric = column?.kind === "numeric";
  return cells.map((text) => numeric ? text.padStart(width) : text.padEnd(width));
}

/** A table as lines: name and type of each column, and its first and last rows. */
export function tableText({ index, columns }: TableView): string {
  const rows = shownRows(index.length);
  const names = ["", "", ...rows.map((row) => row < 0 ? "…" : clip(index[row]!))];
  const width = Math.max(...names.map((text) => text.length));
  const blocks = [names.map((text) => text.padEnd(width))];
  let used = width, shown = 0;
  for (const [name, column] of columns) {
    const cells = cellsOf(name, column, rows);
    used += cells[0]!.length + 2;
    if (used > LINE && shown > 0) break;
    blocks.push(cells);
    shown++;
  }
  const head = `DataFrame: ${index.length} rows x ${columns.length} columns`;
  const lines = names.map((_, line) => blocks.map((cells) => cells[line]).join("  ").trimEnd());
  const rest = columns.slice(shown).map(([name]) => name);
  const more = rest.length === 0 ? [] : [
    `and ${rest.length} more columns: ${rest.slice(0, 12).join(", ")}${
      rest.length > 12 ? ", …" : ""
    }`,
  ];
  return [head, ...lines, ...more].join("\n");
}
