/** results.json: all numbers of a report for other programs. */
import { checkReport, type Report, type ReportCell } from "./report.ts";
import { summarize, type Summary } from "./summary.ts";

/** Version of the layout; a change that breaks readers raises it. */
export const REPORT_SCHEMA = "scgpt-report/1";

/** Layout of results.json. */
export interface ReportDocument {
  /** {@linkcode REPORT_SCHEMA}. */
  readonly schema: string;
  /** Heading. */
  readonly title: string;
  /** The result in words, or null. */
  readonly summary: string | null;
  /** What decided the numbers. */
  readonly manifest: Report["manifest"];
  /** Tables by key; in each, rows in order with a result for every column. */
  readonly tables: Readonly<Record<string, TableDocument>>;
  /** Figures by key. */
  readonly figures: Readonly<Record<string, { readonly title: string; readonly file: string }>>;
  /** Remarks. */
  readonly notes: readonly string[];
  /** What the numbers do not show. */
  readonly limits: readonly string[];
}

/** A table of {@linkcode ReportDocument}. */
export interface TableDocument {
  /** Heading. */
  readonly title: string;
  /** What the table shows, or null. */
  readonly caption: string | null;
  /** Keys of the columns in order. */
  readonly columns: readonly string[];
  /** Rows in order. */
  readonly rows: readonly {
    readonly name: string;
    readonly results: Readonly<Record<string, ResultDocument>>;
  }[];
}

/** A cell of {@linkcode TableDocument}: the values of all seeds and their summary, a text, or null. */
export type ResultDocument = (Summary & { readonly values: readonly number[] }) | string | null;

/**
 * Writes a report as JSON: stable keys, every number unrounded with the values of all seeds; figures by the names of their files.
 *
 * @example
 * ```ts
 * import { reportJson } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const rows = [{ name: "scGPT", cells: { accuracy: [0.94, 0.96] } }];
 * const tables = [{ key: "scores", title: "Scores", columns: [{ key: "accuracy" }], rows }];
 * const report = { title: "Demo", manifest: { seeds: [1, 2] }, tables, figures: [], notes: [], limits: [] };
 * const { schema, tables: { scores } } = JSON.parse(reportJson(report));
 * assert.equal(schema, "scgpt-report/1");
 * assert.deepEqual(scores.rows[0].results.accuracy.values, [0.94, 0.96]);
 * ```
 *
 * @param report Report
 * @returns Text of a JSON file, indented
 * @throws {RangeError} When a key is odd or not unique, a cell has no column, or a number is not finite
 */
export function reportJson(report: Report): string {
  checkReport(report);
  const { title, summary = null, manifest, tables, figures, notes, limits } = report;
  const document: ReportDocument = {
    schema: REPORT_SCHEMA,
    title,
    summary,
    manifest,
    tables: Object.fromEntries(tables.map(({ key, title, caption = null, columns, rows }) => {
      const keys = columns.map((column) => column.key);
      const results = rows.map(({ name, cells }) => ({
        name,
        results: Object.fromEntries(keys.map((column) => [column, resultOf(cells[column])])),
      }));
      return [key, { title, caption, columns: keys, rows: results }];
    })),
    figures: Object.fromEntries(
      figures.map(({ key, title }) => [key, { title, file: `${key}.svg` }]),
    ),
    notes,
    limits,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function resultOf(cell: ReportCell | undefined): ResultDocument {
  if (cell === undefined || cell === null || typeof cell === "string") return cell ?? null;
  const values = typeof cell === "number" ? [cell] : cell;
  return { ...summarize(values), values };
}
