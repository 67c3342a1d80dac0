/** Which rows of a table a condition holds for. */
import { describeNames } from "../checks.ts";
import { type Column, StringColumn } from "../column.ts";
import type { ColumnRef, FilterNode } from "./ast.ts";
import { compareColumns, compareValue, isMember } from "./compare.ts";
import type { ParsedFilter } from "./parse.ts";
import { pointAt } from "./place.ts";

/** What a filter reads of a table. */
export interface FilteredTable {
  /** Name of each row; `index` in a filter, unless a column has that name. */
  readonly index: readonly string[];
  /** Number of rows. */
  readonly length: number;
  /** Names of the columns. */
  columns(): readonly string[];
  /** Reads a column. */
  column(name: string): Promise<Column>;
}

/** Evaluates one filter over one table. */
class Evaluator {
  readonly #table: FilteredTable;
  readonly #text: string;
  readonly #columns = new Map<string, Promise<Column>>();

  constructor(table: FilteredTable, text: string) {
    this.#table = table;
    this.#text = text;
  }

  async rows(node: FilterNode): Promise<Uint8Array> {
    if (node.kind === "not") return (await this.rows(node.term)).map((keep) => 1 - keep);
    if (node.kind === "and" || node.kind === "or") return await this.#joined(node);
    const column = await this.#column(node.column);
    try {
      if (node.kind === "in") return isMember(column, node.values);
      if (node.kind === "truth") return compareValue(column, "==", true);
      return node.to.kind === "literal"
        ? compareValue(column, node.op, node.to.value)
        : compareColumns(column, node.op, await this.#column(node.to));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new TypeError(this.#at(node.column, cause.message), { cause });
    }
  }

  async #joined(node: Extract<FilterNode, { terms: unknown }>): Promise<Uint8Array> {
    const all = node.kind === "and";
    const kept = (await this.rows(node.terms[0]!)).slice();
    for (const term of node.terms.slice(1)) {
      const more = await this.rows(term);
      for (let row = 0; row < kept.length; row++) {
        kept[row] = all ? kept[row]! & more[row]! : kept[row]! | more[row]!;
      }
    }
    return kept;
  }

  #column(ref: ColumnRef): Promise<Column> {
    const known = this.#columns.get(ref.name);
    if (known !== undefined) return known;
    const column = this.#read(ref);
    this.#columns.set(ref.name, column);
    return column;
  }

  async #read(ref: ColumnRef): Promise<Column> {
    const names = this.#table.columns();
    if (names.includes(ref.name)) return await this.#table.column(ref.name);
    if (ref.name === "index") return new StringColumn(this.#table.index);
    throw new RangeError(
      this.#at(ref, `Cannot filter as there is no such column: ${describeNames(ref.name, names)}`),
    );
  }

  #at(ref: ColumnRef, message: string): string {
    const head = `${message} (column ${JSON.stringify(ref.name)} at character ${ref.at})`;
    return pointAt(head, this.#text, ref.at);
  }
}

/**
 * Says for each row whether a filter holds: 1 or 0. A row without a value is equal to null and to nothing else.
 *
 * @throws {RangeError} Where the table lacks a column.
 * @throws {TypeError} Where a column cannot be compared with the value.
 */
export async function matchRows(filter: ParsedFilter, table: FilteredTable): Promise<Uint8Array> {
  return await new Evaluator(table, filter.text).rows(filter.condition);
}
