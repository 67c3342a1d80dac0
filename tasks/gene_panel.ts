/** The genes that a model was trained on, found again in other data. */
import type { DataFrame } from "../data/mod.ts";
import { type GeneMapping, type GeneVocab, mapGenes } from "../lib/mod.ts";

/** How a panel is looked up. */
export interface PanelOptions {
  /** Column of `var` with gene symbols; by default the index, or a column of symbols when the index holds Ensembl ids. */
  readonly geneColumn?: string;
  /** Least part of the panel that the data must have; 0.5 by default. */
  readonly minCoverage?: number;
}

/** What was found of a panel. */
export interface PanelReport {
  /** Genes of the panel. */
  readonly panel: number;
  /** Those that the data have. */
  readonly found: number;
  /** found / panel. */
  readonly coverage: number;
  /** Names of the first 20 that the data lack. */
  readonly missingNames: readonly string[];
}

/** Columns of a matrix as genes of a panel; all others are left out. */
export interface PanelMapping extends GeneMapping {
  /** What was found. */
  readonly panel: PanelReport;
}

/**
 * Finds the genes of a panel among the columns of a matrix.
 *
 * @param frame `var` of the matrix
 * @param vocab Vocabulary of the model, with the panel's genes
 * @param genes Names of the panel
 * @param options Column of names and least coverage
 * @returns Ids of the panel's columns, -1 for others, and what was found
 * @throws {RangeError} When too small a part of the panel is there, with its names
 */
export async function mapPanel(
  frame: DataFrame,
  vocab: GeneVocab,
  genes: readonly string[],
  options: PanelOptions = {},
): Promise<PanelMapping> {
  const { geneColumn, minCoverage = 0.5 } = options;
  if (!(minCoverage >= 0 && minCoverage <= 1)) {
    throw new RangeError(`Cannot find genes as minCoverage must be in [0, 1]: got ${minCoverage}`);
  }
  const mapping = await mapGenes(frame, vocab, {
    minCoverage: 0,
    ...geneColumn !== undefined && { geneColumn },
  });
  const panel = new Set(genes.map((name) => vocab.require(name)));
  const ids = mapping.ids.map((id) => panel.has(id) ? id : -1);
  const there = new Set(ids);
  const missing = genes.filter((name) => !there.has(vocab.require(name)));
  const found = genes.length - missing.length;
  const coverage = genes.length === 0 ? 0 : found / genes.length;
  const report = { panel: genes.length, found, coverage, missingNames: missing.slice(0, 20) };
  if (coverage < minCoverage) {
    throw new RangeError(
      `Cannot find genes as ${
        100 * minCoverage
      } % of the ${genes.length} that the model was trained on must be in the data: ` +
        `got ${found} by ${mapping.report.column}, missing such as ${
          missing.slice(0, 5).join(", ")
        }`,
    );
  }
  return { ...mapping, ids, panel: report };
}
