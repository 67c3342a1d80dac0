/** Embeddings of cells from several batches that a model's must stand beside. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { isCounts, logNormalize } from "../analysis/log_normalize.ts";
import { pca } from "../analysis/pca.ts";
import { checkRows, selectColumns, type SparseRows } from "../analysis/rows.ts";
import { variableGenes } from "../analysis/variable_genes.ts";
import type { GeneChoice, QueryCells } from "./cells.ts";
import { harmony } from "./harmony.ts";

/** One point for each cell. */
export interface CellEmbedding {
  /** Coordinates [cells, nDims]. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Dimensions. */
  readonly nDims: number;
}

/** Settings of {@linkcode hvgPcaBaseline}. */
export interface HvgPcaOptions extends GeneChoice {
  /** Principal components; 50 by default, fewer where there are fewer cells or genes. */
  readonly nComponents?: number;
  /** Seed of the solver; 0 by default. */
  readonly seed?: number;
  /** Stops the computation. */
  readonly signal?: AbortSignal;
}

/** Embeddings by name; each is computed when it is called. */
export type Embedders = Readonly<Record<string, () => Promise<CellEmbedding>>>;

/**
 * Log-normalised values of the variable genes themselves, without a model.
 *
 * @param cells Counts, or log-normalised values
 * @param choice Number or names of the genes
 * @returns One dimension for each gene
 * @throws {RangeError} When names do not fit the values, or no gene is left
 */
export async function hvgBaseline(
  cells: QueryCells,
  choice: GeneChoice = {},
): Promise<CellEmbedding> {
  refuseUnknownKeys(choice, ["nGenes", "genes"], "take variable genes");
  const { nRows, nCols, indptr, indices, data } = await hvgRows(cells, choice);
  const embeddings = new Float32Array(nRows * nCols);
  for (let row = 0; row < nRows; row++) {
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      embeddings[row * nCols + indices[at]!] = data[at]!;
    }
  }
  return { embeddings, nDims: nCols };
}

/**
 * Principal components of the variable genes: what integration methods start from, and often hard to beat.
 *
 * Reference: Kedzierska et al. 2025, "Zero-shot evaluation reveals limitations of single-cell foundation models".
 *
 * @param cells Counts, or log-normalised values
 * @param options Genes and components
 * @returns Scores
 * @throws {RangeError} When names do not fit the values, no gene is left, or a setting is out of range
 */
export async function hvgPcaBaseline(
  cells: QueryCells,
  options: HvgPcaOptions = {},
): Promise<CellEmbedding> {
  const known = ["nGenes", "genes", "nComponents", "seed", "signal"];
  refuseUnknownKeys(options, known, "run the PCA baseline");
  const { nGenes, genes, nComponents = 50, ...solver } = options;
  const rows = await hvgRows(cells, { nGenes, genes });
  const most = Math.min(nComponents, rows.nRows, rows.nCols);
  const fitted = await pca(rows, { ...solver, nComponents: most });
  return { embeddings: fitted.scores, nDims: fitted.nComponents };
}

/**
 * The embeddings that every integration is to be shown beside, ready for a metrics table. The components are computed once.
 *
 * @example
 * ```ts
 * import { integrationBaselines } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const counts = Float32Array.from({ length: 60 * 8 }, (_, at) => 1 + (at * at) % 7);
 * const X = {
 *   nRows: 60,
 *   nCols: 8,
 *   indptr: Uint32Array.from({ length: 61 }, (_, row) => row * 8),
 *   indices: Uint32Array.from(counts, (_, at) => at % 8),
 *   data: counts,
 * };
 * const batches = Array.from({ length: 60 }, (_, cell) => cell < 30 ? "a" : "b");
 * const cells = { X, varNames: ["CD3E", "MS4A1", "NKG7", "LYZ", "CD8A", "IL7R", "CD14", "PPBP"] };
 * const methods = integrationBaselines(cells, batches, { nComponents: 4 });
 * for (const [name, embed] of Object.entries(methods)) {
 *   const { embeddings, nDims } = await embed();
 *   assert.equal(embeddings.length, 60 * nDims, name);
 * }
 * ```
 *
 * @param cells Counts, or log-normalised values
 * @param batches Batch of each cell
 * @param options Genes, components and seed
 * @returns Variable genes, their principal components, and those corrected by Harmony
 */
export function integrationBaselines(
  cells: QueryCells,
  batches: readonly string[],
  options: HvgPcaOptions = {},
): Embedders {
  const { nGenes, genes, seed = 0, signal } = options;
  let components: Promise<CellEmbedding> | undefined;
  const componentsOnce = () => components ??= hvgPcaBaseline(cells, options);
  return {
    "HVG": () => hvgBaseline(cells, { nGenes, genes }),
    "HVG + PCA": componentsOnce,
    "Harmony": async () => {
      const { embeddings, nDims } = await componentsOnce();
      const { corrected } = await harmony(embeddings, batches, { nDims, seed, signal });
      return { embeddings: corrected, nDims };
    },
  };
}

/** Log-normalised values of the variable genes, or of those that the caller names, in the cells' order of genes. */
async function hvgRows(
  { X, varNames }: QueryCells,
  { nGenes = 2000, genes }: GeneChoice,
): Promise<SparseRows> {
  checkRows(X, "take variable genes");
  if (varNames.length !== X.nCols) {
    throw new RangeError(
      `Cannot take variable genes as each gene needs a name: got ${varNames.length} for ${X.nCols} genes`,
    );
  }
  const wanted = genes === undefined ? undefined : new Set(genes);
  const kept = wanted === undefined
    ? await variableGenes(X, nGenes)
    : Uint32Array.from(varNames.keys().filter((gene) => wanted.has(varNames[gene]!)));
  if (kept.length === 0) {
    throw new RangeError(
      `Cannot take variable genes as one must be left: got ${X.nCols} genes, none wanted`,
    );
  }
  return selectColumns(isCounts(X) ? logNormalize(X) : X, kept);
}
