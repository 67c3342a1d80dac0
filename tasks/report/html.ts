/** report.html: a report for people, in one file. */
import { STYLE } from "./html_style.ts";
import {
  checkReport,
  type ManifestValue,
  type Report,
  type ReportCell,
  type ReportColumn,
  type ReportFigure,
  type ReportTable,
} from "./report.ts";
import { summarize, type Summary } from "./summary.ts";

/**
 * Writes a report as one HTML page that needs neither network nor scripts: light and dark, narrow and printed. Figures are shown as
 * images, so that nothing in them can run or reach out; all other text is escaped.
 *
 * @example
 * ```ts
 * import { reportHtml } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const rows = [{ name: "<b>", cells: { accuracy: [0.94, 0.95, 0.96] } }];
 * const tables = [{ key: "scores", title: "Scores", columns: [{ key: "accuracy" }], rows }];
 * const page = reportHtml({ title: "Demo", manifest: {}, tables, figures: [], notes: [], limits: [] });
 * assert.match(page, /&lt;b&gt;.*0\.950/s);
 * ```
 *
 * @param report Report
 * @returns Text of an HTML file
 * @throws {RangeError} When a key is odd or not unique, a cell has no column, or a number is not finite
 */
export function reportHtml(report: Report): string {
  checkReport(report);
  const { title, summary, manifest, tables, figures, notes, limits } = report;
  return [
    `<!doctype html>`,
    `<html lang="en">`,
    `<head>`,
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `</head>`,
    `<body>`,
    `<main>`,
    `<h1>${escapeHtml(title)}</h1>`,
    summary === undefined ? "" : `<p class="summary">${escapeHtml(summary)}</p>`,
    ...tables.map(tableHtml),
    figures.length === 0 ? "" : `<section>\n<h2>Figures</h2>`,
    ...figures.map(figureHtml),
    figures.length === 0 ? "" : `</section>`,
    listHtml("Notes", notes),
    listHtml("Limits", limits),
    manifestHtml(manifest),
    `</main>`,
    `</body>`,
    `</html>`,
    ``,
  ].join("\n");
}

function tableHtml(table: ReportTable): string {
  const { title, caption, rowTitle = "Method", columns, rows } = table;
  const styles = columns.map((column) => columnStyle(column, rows));
  const heads = columns.map(({ key, title = key }) => `<th scope="col">${escapeHtml(title)}</th>`);
  const lines = rows.map(({ name, cells }) => {
    const own = columns.map(({ key }, at) => cellHtml(cells[key] ?? null, styles[at]!));
    return `<tr><th scope="row">${escapeHtml(name)}</th>${own.join("")}</tr>`;
  });
  const spread = styles.some((style) => style.spread)
    ? "Mean ± standard deviation over seeds."
    : "";
  const says = [caption ?? "", spread].join(" ").trim();
  return [
    `<section>`,
    `<h2>${escapeHtml(title)}</h2>`,
    says === "" ? "" : `<p class="caption">${escapeHtml(says)}</p>`,
    `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}">`,
    `<table>`,
    `<thead><tr><th scope="col">${escapeHtml(rowTitle)}</th>${heads.join("")}</tr></thead>`,
    `<tbody>`,
    ...lines,
    `</tbody>`,
    `</table>`,
    `</div>`,
    `</section>`,
  ].join("\n");
}

/** How the cells of a column are written. */
interface ColumnStyle {
  readonly digits: number;
  readonly best: number | undefined; // the mean to be marked
  readonly spread: boolean; // some row has several seeds: the others keep its place free
}

function columnStyle(
  { key, digits = 3, better }: ReportColumn,
  rows: ReportTable["rows"],
): ColumnStyle {
  const summaries = rows.flatMap(({ cells }) => {
    const cell = cells[key] ?? null;
    return cell === null || typeof cell === "string" ? [] : [summaryOf(cell)];
  });
  const means = summaries.map(({ mean }) => mean);
  const best = better === undefined || means.length < 2
    ? undefined
    : better === "higher"
    ? Math.max(...means)
    : Math.min(...means);
  return { digits, best, spread: summaries.some(({ n }) => n > 1) };
}

function cellHtml(cell: ReportCell, { digits, best, spread }: ColumnStyle): string {
  if (typeof cell === "string") return `<td class="text">${escapeHtml(cell)}</td>`;
  const room = spread ? ` <span class="sd"></span>` : "";
  if (cell === null) return `<td>–${room}</td>`;
  const { mean, sd, min, max, n } = summaryOf(cell);
  const number = mean === best ? `<b>${mean.toFixed(digits)}</b>` : mean.toFixed(digits);
  const kind = mean === best ? ` class="best"` : "";
  if (n === 1) return `<td${kind}>${number}${room}</td>`;
  return `<td${kind} title="${n} seeds, ${min} to ${max}">${number} ` +
    `<span class="sd">± ${sd.toFixed(digits)}</span></td>`;
}

function summaryOf(cell: number | readonly number[]): Summary {
  return summarize(typeof cell === "number" ? [cell] : cell);
}

function figureHtml({ title, svg }: ReportFigure): string {
  const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg.toWellFormed())}`;
  const size = /<svg[^>]*?\swidth="([\d.]+)"\s+height="([\d.]+)"/.exec(svg);
  const room = size === null ? "" : ` width="${size[1]}" height="${size[2]}"`;
  return [
    `<figure>`,
    `<div class="scroll"><img alt="${escapeHtml(title)}"${room} src="${source}"></div>`,
    `<figcaption>${escapeHtml(title)}</figcaption>`,
    `</figure>`,
  ].join("\n");
}

function listHtml(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const lines = items.map((item) => `<li>${escapeHtml(item)}</li>`);
  return [`<section>`, `<h2>${title}</h2>`, `<ul>`, ...lines, `</ul>`, `</section>`].join("\n");
}

function manifestHtml(manifest: Report["manifest"]): string {
  const entries = Object.entries(manifest).map(([key, value]) =>
    `<dt>${escapeHtml(key)}</dt><dd>${escapeHtml(manifestText(value))}</dd>`
  );
  if (entries.length === 0) return "";
  return [`<section>`, `<h2>How it was made</h2>`, `<dl>`, ...entries, `</dl>`, `</section>`]
    .join("\n");
}

function manifestText(value: ManifestValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Escapes text for an HTML page, its attributes included.
 *
 * @param text Any text
 * @returns Text without markup
 */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (letter) => entities[letter]!);
}
