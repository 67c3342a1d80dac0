/** What an evaluation leaves: report.html, results.json and figures in a folder, and tables on the terminal. */
import Table from "cli-table3";
import { basename } from "node:path";
import {
  type Device,
  type ManifestValue,
  type Report,
  type ReportCell,
  reportHtml,
  reportJson,
  type ReportTable,
  summarize,
  VERSION,
} from "../../mod.ts";
import type { Flags } from "./command.ts";
import { writeWhole } from "./outputs.ts";

/** Flags of all evaluations. */
export const EVALUATION_FLAGS = {
  output: { kind: "string", help: "folder for the report", required: true },
  force: { kind: "boolean", help: "replace the report of that folder" },
  seeds: { kind: "integers", help: "seeds, one run each", default: [1, 2, 3] },
} as const satisfies Flags;

/** Writes a report's files; returns their paths, the page first. */
export async function writeReport(folder: string, report: Report): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const files: Record<string, string> = {
    "report.html": reportHtml(report),
    "results.json": reportJson(report),
    ...Object.fromEntries(report.figures.map(({ key, svg }) => [`${key}.svg`, svg])),
  };
  for (const [name, text] of Object.entries(files)) await writeWhole(`${folder}/${name}`, text);
  return Object.keys(files).map((name) => `${folder}/${name}`);
}

/** Names of files in a title, such as "ref to query". */
export function dataNames(...paths: readonly string[]): string {
  return paths.map((path) => basename(path).replace(/\.h5ad$/, "")).join(" to ");
}

/** A table for a terminal: means, and their spread where there are several seeds; all columns, or those of some keys. */
export function tableText(
  { rowTitle = "Method", columns: all, rows }: ReportTable,
  keys?: readonly string[],
): string {
  const columns = all.filter(({ key }) => keys?.includes(key) ?? true);
  const table = new Table({
    head: [rowTitle, ...columns.map(({ key, title = key }) => title)],
    style: { head: [], border: [] },
    colAligns: ["left", ...columns.map(() => "right" as const)],
  });
  for (const { name, cells } of rows) {
    table.push([name, ...columns.map(({ key, digits = 3 }) => cellText(cells[key], digits))]);
  }
  return table.toString();
}

function cellText(cell: ReportCell | undefined, digits: number): string {
  if (cell === undefined || cell === null || typeof cell === "string") return "-";
  const { mean, sd, n } = summarize(typeof cell === "number" ? [cell] : cell);
  return n === 1 ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`;
}

/** What decided the numbers: version, device, and all options; files by their names alone. */
export function evaluationManifest(
  task: string,
  { info }: Device,
  flags: Readonly<Record<string, unknown>>,
): Record<string, ManifestValue> {
  const paths = ["train", "query", "input", "reference", "model", "labelMap"];
  const options = Object.entries(flags)
    .filter(([name, value]) => value !== undefined && !["output", "force"].includes(name))
    .map(([name, value]) => [name, paths.includes(name) ? basename(String(value)) : value]);
  return {
    library: `@scgpt/sdk ${VERSION}`,
    task,
    device: `${info.kind}: ${info.name} (${info.features.join(", ")})`,
    options: Object.fromEntries(options),
  };
}
