/** Finds the genes of a data set in the vocabulary, and says what was found. */
import type { DataFrame } from "../../data/mod.ts";
import { refuseUnknownKeys } from "../options.ts";
import type { GeneColumns } from "./draws.ts";
import type { GeneVocab } from "./vocab.ts";

/** How genes are looked up. */
export interface MapGenesOptions {
  /** Column of `var` with gene symbols; by default the index, or a column of symbols when the index holds Ensembl ids. */
  readonly geneColumn?: string;
  /** Least part of the columns that must be in the vocabulary; default 0.2, below which names are of another kind. */
  readonly minCoverage?: number;
}

/** What was found. */
export interface GeneReport {
  /** Where the names come from: "index" or a column of `var`. */
  readonly column: string;
  /** Columns of the matrix. */
  readonly total: number;
  /** Columns in the vocabulary. */
  readonly matched: number;
  /** matched / total. */
  readonly coverage: number;
  /** Columns that are not in the vocabulary. */
  readonly missing: number;
  /** Names of the first 20 of those. */
  readonly missingNames: readonly string[];
  /** Names in the vocabulary that stand for several columns; each column is a token of its own, as in the reference. */
  readonly duplicates: readonly string[];
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** Columns of a matrix as genes of the vocabulary, with the report. */
export interface GeneMapping extends GeneColumns {
  /** What was found. */
  readonly report: GeneReport;
}

const SHOWN = 20;
const MAX_COPIES = 256;
const ENSEMBL = /^ENS[A-Z]*G\d{11}(\.\d+)?$/;
/** Names under which data sets keep symbols beside Ensembl ids: CELLxGENE, scanpy, monocle, and others. */
const SYMBOL_COLUMNS = [
  "feature_name",
  "gene_symbols",
  "gene_symbol",
  "gene_short_name",
  "gene_name",
  "gene_names",
  "symbol",
  "SYMBOL",
];

/**
 * Maps the columns of a matrix to the vocabulary by gene symbol, case-sensitively and without synonyms.
 * Reference: `embed_data` in scgpt/tasks/cell_emb.py, which drops unknown genes without a report.
 *
 * @example
 * ```ts
 * import { DataFrame } from "@scgpt/sdk/data";
 * import { GeneVocab, mapGenes } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const vocab = GeneVocab.fromNames(["CD3D", "ACTB"]);
 * const { ids, report } = await mapGenes(new DataFrame({ index: ["ACTB", "XYZ"] }), vocab);
 * assert.deepEqual([...ids], [1, -1]);
 * assert.deepEqual(report.missingNames, ["XYZ"]);
 * ```
 *
 * @param frame `var` of the matrix
 * @param vocab The vocabulary
 * @param options Column of names and least coverage
 * @returns Id of each column and the report
 * @throws {RangeError} When no gene, or too small a part, is in the vocabulary, with advice
 */
export async function mapGenes(
  frame: DataFrame,
  vocab: GeneVocab,
  options: MapGenesOptions = {},
): Promise<GeneMapping> {
  refuseUnknownKeys(options, ["geneColumn", "minCoverage"], "map genes");
  const { geneColumn, minCoverage = 0.2 } = options;
  if (!(minCoverage >= 0 && minCoverage <= 1)) {
    throw new RangeError(`Cannot map genes as minCoverage must be in [0, 1]: got ${minCoverage}`);
  }
  const { names, column, notes } = await geneNames(frame, geneColumn);
  const { ids, occurrences, duplicates } = lookUp(names, vocab);
  const missing = names.filter((_, at) => ids[at]! < 0);
  const matched = names.length - missing.length;
  const report: GeneReport = {
    column,
    total: names.length,
    matched,
    coverage: names.length === 0 ? 0 : matched / names.length,
    missing: missing.length,
    missingNames: missing.slice(0, SHOWN),
    duplicates,
    notes,
  };
  if (matched === 0 || report.coverage < minCoverage) refuse(report, minCoverage, vocab);
  return { ids, occurrences, report };
}

/** Gene symbols of a matrix's columns. */
export interface GeneNames {
  /** Symbol of each column. */
  readonly names: readonly string[];
  /** Where they come from: "index" or a column of `var`. */
  readonly column: string;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/**
 * The gene symbols of a table of genes: its index, or a column of symbols where the index holds Ensembl ids.
 *
 * @param frame `var` of a matrix
 * @param wanted Column to take instead
 * @throws {RangeError} When there is no such column, or it holds no text
 */
export async function geneNames(frame: DataFrame, wanted?: string): Promise<GeneNames> {
  if (wanted !== undefined && wanted !== "index") {
    return { names: await textColumn(frame, wanted), column: wanted, notes: [] };
  }
  const index = { names: frame.index, column: "index", notes: [] };
  const ensembl = frame.index.filter((name) => ENSEMBL.test(name)).length;
  if (wanted === "index" || ensembl <= frame.index.length / 2) return index;
  const column = SYMBOL_COLUMNS.find((name) => frame.columns().includes(name));
  if (column === undefined) return index;
  const note = `the index holds Ensembl ids, so gene symbols come from var column "${column}"`;
  return { names: await textColumn(frame, column), column, notes: [note] };
}

async function textColumn(frame: DataFrame, name: string): Promise<string[]> {
  const values: Iterable<string | number | boolean | null> = (await frame.column(name)).values();
  return Array.from(values, (value) => {
    if (typeof value === "string") return value;
    if (value === null) return "";
    throw new TypeError(`Cannot map genes as var column "${name}" must hold text: got ${value}`);
  });
}

function lookUp(
  names: readonly string[],
  vocab: GeneVocab,
): GeneColumns & { readonly duplicates: readonly string[] } {
  const ids = new Int32Array(names.length).fill(-1);
  const occurrences = new Uint8Array(names.length);
  const copies = new Map<number, number>();
  const duplicates = new Set<string>();
  for (const [column, name] of names.entries()) {
    const id = vocab.id(name);
    if (id === undefined) continue;
    const before = copies.get(id) ?? 0;
    if (before >= MAX_COPIES) {
      throw new RangeError(
        `Cannot map genes as a name may occur ${MAX_COPIES} times: got ${name} more often`,
      );
    }
    if (before > 0) duplicates.add(name);
    copies.set(id, before + 1);
    ids[column] = id;
    occurrences[column] = before;
  }
  return { ids, occurrences, duplicates: [...duplicates] };
}

function refuse(report: GeneReport, minCoverage: number, vocab: GeneVocab): never {
  const { matched, total, column, missingNames } = report;
  const rule = matched === 0
    ? "some gene must be in the vocabulary"
    : `${100 * minCoverage} % of the genes must be in the vocabulary`;
  throw new RangeError(
    `Cannot map genes as ${rule}: got ${matched} of ${total} by ${column}, missing such as ` +
      `${missingNames.slice(0, 5).join(", ")}${advise(missingNames, vocab)}`,
  );
}

/** What kind of names these are, when most of those that are missing are of one kind. */
function advise(names: readonly string[], vocab: GeneVocab): string {
  const most = (is: (name: string) => boolean) => names.filter(is).length > names.length / 2;
  if (most((name) => ENSEMBL.test(name))) {
    return "; these are Ensembl ids: add gene symbols as a column of var and name it as geneColumn";
  }
  if (most((name) => /^[A-Z][a-z][a-z0-9-]*$/.test(name))) {
    return "; these look like mouse genes: the vocabulary is human, so map them to human orthologs first";
  }
  if (most((name) => vocab.id(name.toUpperCase()) !== undefined)) {
    return "; these are in the vocabulary in upper case: rename them";
  }
  return "; name the column of var with gene symbols as geneColumn";
}
