/** Chooses highly variable genes as scanpy does, from any matrix that can be streamed. */
import { refuseUnknownKeys } from "../../options.ts";
import {
  batchedDispersions,
  type DispersionFlavor,
  dispersionsOf,
  topDispersions,
} from "./dispersion.ts";
import { addSums, type Batches, batchesOf, geneSums, momentsOf } from "./gene_moments.ts";
import type { RowSource } from "./row_source.ts";
import { rankGenes, standardizedVariances } from "./seurat_v3.ts";

/** The method: `seurat_v3` takes counts, the others logarithms of normalised expression. */
export type HvgFlavor = "seurat_v3" | "seurat" | "cell_ranger";

/** How genes are chosen. */
export interface HighlyVariableOptions {
  /** Default `seurat_v3`, as the reference's `Preprocessor`. */
  readonly flavor?: HvgFlavor;
  /** Genes wanted; 2,000 unless told. */
  readonly nTopGenes?: number;
  /** Batch of each cell: genes are then chosen in each batch and the choices merged. */
  readonly batch?: readonly (string | null)[];
  /** Share of the genes in a local fit of `seurat_v3`; 0.3 unless told. */
  readonly span?: number;
  /** Bins of the means of `seurat`; 20 unless told. */
  readonly nBins?: number;
  /** Whether `seurat_v3` refuses values that are no counts (scanpy warns); default true. */
  readonly checkValues?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** What scanpy writes into `var`, by its names there; each [genes]. */
export type HvgTable = {
  /** Whether the gene is chosen. */
  readonly highly_variable: readonly boolean[];
  /** `seurat_v3`: rank from 0, NaN beyond `nTopGenes`; with batches the median rank. */
  readonly highly_variable_rank?: Float64Array<ArrayBuffer>;
  /** Means; with batches and dispersions the mean over batches. */
  readonly means: Float64Array<ArrayBuffer>;
  /** `seurat_v3`: variances. */
  readonly variances?: Float64Array<ArrayBuffer>;
  /** `seurat_v3`: variances of standardised counts, with batches their mean. */
  readonly variances_norm?: Float64Array<ArrayBuffer>;
  /** `seurat`, `cell_ranger`: variance over mean, with batches the mean over batches. */
  readonly dispersions?: Float64Array<ArrayBuffer>;
  /** `seurat`, `cell_ranger`: the same against genes of like mean. */
  readonly dispersions_norm?: Float64Array<ArrayBuffer>;
  /** With batches: in how many a gene is chosen. */
  readonly highly_variable_nbatches?: Float64Array<ArrayBuffer>;
  /** With batches and dispersions: whether it is chosen in all. */
  readonly highly_variable_intersection?: readonly boolean[];
};

/** Chosen genes and why. */
export interface HighlyVariableGenes {
  /** The method. */
  readonly flavor: HvgFlavor;
  /** Columns of the chosen genes, ascending. */
  readonly columns: Uint32Array<ArrayBuffer>;
  /** What was computed of all genes. */
  readonly table: HvgTable;
}

const OPTIONS = ["flavor", "nTopGenes", "batch", "span", "nBins", "checkValues", "signal"];
const FLAVORS: readonly HvgFlavor[] = ["seurat_v3", "seurat", "cell_ranger"];

/**
 * Chooses highly variable genes. Memory is a few numbers for each gene and batch, whatever the number of cells: the rows are
 * streamed once, and twice for `seurat_v3`.
 * Reference: `scanpy.pp.highly_variable_genes(n_top_genes=, flavor=, batch_key=)`, equal in choice, ranks and statistics.
 *
 * @example
 * ```ts
 * import { denseMatrix } from "@scgpt/sdk/data";
 * import { highlyVariableGenes } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * // Four cells of 30 genes whose variance grows with the mean; one cell alone expresses gene 12.
 * const count = (cell: number, gene: number) => Math.floor((1 + gene) * (1 + (cell * gene) % 4 / 4));
 * const counts = Array.from({ length: 120 }, (_, i) => count(Math.floor(i / 30), i % 30));
 * for (let cell = 0; cell < 4; cell++) counts[cell * 30 + 12] = cell === 0 ? 80 : 0;
 * const X = denseMatrix(Float32Array.from(counts), [4, 30]);
 * const { columns, table } = await highlyVariableGenes(X, { nTopGenes: 1 });
 * assert.deepEqual([...columns], [12]);
 * assert.equal(table.means[12], 20);
 * ```
 *
 * @param source Matrix of cells x genes: counts for `seurat_v3`, else log-normalised expression
 * @param options Method, number of genes, batches
 * @returns The genes
 * @throws {TypeError} For an unknown option
 * @throws {RangeError} For an option out of range, a value that the method does not take (naming row and column), or too few varying genes
 */
export async function highlyVariableGenes(
  source: RowSource,
  options: HighlyVariableOptions = {},
): Promise<HighlyVariableGenes> {
  refuseUnknownKeys(options, OPTIONS, "choose genes");
  checkRanges(options);
  const { flavor = "seurat_v3", batch } = options;
  const batches = batchesOf(batch, source.shape[0]);
  const table = flavor === "seurat_v3"
    ? await varianceTable(source, batches, options)
    : await dispersionTable(source, batches, { ...options, flavor });
  const columns = Array.from(table.highly_variable.keys())
    .filter((gene) => table.highly_variable[gene]);
  return { flavor, columns: Uint32Array.from(columns), table };
}

function checkRanges({ flavor = "seurat_v3", nTopGenes = 1, nBins = 1 }: HighlyVariableOptions) {
  const fail = (rule: string, got: unknown) => {
    throw new RangeError(`Cannot choose genes as ${rule}: got ${got}`);
  };
  if (!FLAVORS.includes(flavor)) fail(`flavor must be ${FLAVORS.join(", ")}`, `"${flavor}"`);
  if (!(Number.isInteger(nTopGenes) && nTopGenes >= 1)) {
    fail("nTopGenes must be an integer >= 1", nTopGenes);
  }
  if (!(Number.isInteger(nBins) && nBins >= 1)) fail("nBins must be an integer >= 1", nBins);
}

async function varianceTable(
  source: RowSource,
  batches: Batches,
  options: HighlyVariableOptions,
): Promise<HvgTable> {
  const { nTopGenes = 2000, span = 0.3, checkValues = true, batch, signal } = options;
  const sums = await geneSums(source, batches, { integers: checkValues, signal });
  const counted = { source, batches, moments: sums.map(momentsOf) };
  const standardized = await standardizedVariances(counted, { span, signal });
  const { ranks, nBatches, order } = rankGenes(standardized, nTopGenes);
  const { means, variances } = momentsOf(addSums(sums));
  const chosen = new Set(order.slice(0, nTopGenes));
  return {
    highly_variable: Array.from(means, (_, gene) => chosen.has(gene)),
    highly_variable_rank: ranks,
    means,
    variances,
    variances_norm: means.map((_, gene) =>
      standardized.reduce((sum, one) => sum + one[gene]!, 0) / standardized.length
    ),
    ...batch && { highly_variable_nbatches: nBatches },
  };
}

async function dispersionTable(
  source: RowSource,
  batches: Batches,
  options: HighlyVariableOptions & { readonly flavor: DispersionFlavor },
): Promise<HvgTable> {
  const { flavor, nTopGenes = 2000, nBins = 20, batch, signal } = options;
  const transform = flavor === "seurat" ? Math.expm1 : (value: number) => value;
  const moments = (await geneSums(source, batches, { transform, signal })).map(momentsOf);
  if (batch === undefined) {
    const { means, dispersions, normalized } = dispersionsOf(moments[0]!, flavor, nBins);
    return {
      highly_variable: topDispersions(normalized, nTopGenes),
      means,
      dispersions,
      dispersions_norm: normalized,
    };
  }
  const { chosen, means, dispersions, normalized, nBatches } = batchedDispersions(
    moments,
    flavor,
    { nTopGenes, nBins },
  );
  return {
    highly_variable: chosen,
    means,
    dispersions,
    dispersions_norm: normalized,
    highly_variable_nbatches: nBatches,
    highly_variable_intersection: Array.from(nBatches, (n) => n === moments.length),
  };
}
