/** Variable genes by dispersion (variance over mean), against genes of like mean. */
import type { GeneMoments } from "./gene_moments.ts";
import { median } from "./median.ts";

/** Which published method: both divide genes into bins by mean. */
export type DispersionFlavor = "seurat" | "cell_ranger";

/** Dispersions of genes in one batch, or over all. */
export interface Dispersions {
  /** Means; of `seurat` log(1 + mean). [genes] */
  readonly means: Float64Array<ArrayBuffer>;
  /** Dispersions; of `seurat` their logarithms, NaN where a gene does not vary. [genes] */
  readonly dispersions: Float64Array<ArrayBuffer>;
  /** Dispersions less the centre of their bin, over its spread. [genes] */
  readonly normalized: Float64Array<ArrayBuffer>;
}

/** Taken as the mean of a gene that no cell expresses. */
const LEAST_MEAN = 1e-12;

/** Median absolute deviation of a standard normal variable: the 0.75 quantile. */
const NORMAL_MAD = 0.6744897501960817;

/**
 * Normalises the dispersions of genes within bins of like mean. `seurat`: log dispersions, bins of equal width, mean and standard
 * deviation (a bin with one gene gives it 1). `cell_ranger`: bins at each 5th percentile from the 10th, median and median absolute
 * deviation.
 * Reference: `_highly_variable_genes_single_batch` of scanpy; where percentiles coincide, at which scanpy stops, the empty bins are dropped.
 *
 * @param moments Moments of normalised expression, back from logarithms for `seurat`
 * @param flavor Method
 * @param nBins Bins of `seurat`
 * @returns Means and dispersions
 */
export function dispersionsOf(
  moments: GeneMoments,
  flavor: DispersionFlavor,
  nBins: number,
): Dispersions {
  const isSeurat = flavor === "seurat";
  const positive = moments.means.map((mean) => mean === 0 ? LEAST_MEAN : mean);
  const ratios = positive.map((mean, gene) => moments.variances[gene]! / mean);
  const means = isSeurat ? positive.map(Math.log1p) : positive;
  const dispersions = isSeurat
    ? ratios.map((ratio) => ratio === 0 ? NaN : Math.log(ratio))
    : ratios;
  const edges = isSeurat ? equalEdges(means, nBins) : percentileEdges(means);
  const bins = Map.groupBy(means.keys(), (gene) => binOf(edges, means[gene]!));
  const normalized = new Float64Array(means.length);
  for (const genes of bins.values()) {
    const values = genes.map((gene) => dispersions[gene]!).filter((value) => !Number.isNaN(value));
    const { center, spread } = isSeurat ? meanAndDeviation(values) : medianAndMad(values);
    for (const gene of genes) normalized[gene] = (dispersions[gene]! - center) / spread;
  }
  return { means, dispersions, normalized };
}

/** Edges of bins of equal width over the range, the first 0.1 % lower so that the least value lies inside. */
function equalEdges(values: Float64Array, nBins: number): number[] {
  let least = Infinity, most = -Infinity;
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const isFlat = least === most;
  const margin = 0.001 * (isFlat ? Math.abs(least) || 1 : most - least);
  if (isFlat) [least, most] = [least - margin, most + margin];
  const step = (most - least) / nBins;
  const inner = Array.from({ length: nBins - 1 }, (_, k) => least + (k + 1) * step);
  return [isFlat ? least : least - margin, ...inner, most];
}

/** Minus infinity, the percentiles 10, 15 .. 100, and infinity. */
function percentileEdges(values: Float64Array): number[] {
  const sorted = values.toSorted();
  const percentiles = Array.from({ length: 19 }, (_, k) => {
    const place = (10 + 5 * k) / 100 * (sorted.length - 1);
    const low = Math.floor(place), part = place - low;
    const a = sorted[low]!, b = sorted[Math.min(low + 1, sorted.length - 1)]!;
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
  });
  return [-Infinity, ...percentiles, Infinity];
}

/** The bin k with edges[k - 1] < value <= edges[k]. */
function binOf(edges: readonly number[], value: number): number {
  return edges.findIndex((edge) => value <= edge);
}

/** Where the dispersions of a bin lie. */
interface Center {
  readonly center: number;
  readonly spread: number;
}

function meanAndDeviation(values: readonly number[]): Center {
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  if (values.length < 2) return { center: 0, spread: mean };
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { center: mean, spread: Math.sqrt(squares / (values.length - 1)) };
}

function medianAndMad(values: readonly number[]): Center {
  const center = median(values);
  const spread = median(values.map((value) => Math.abs(value - center))) / NORMAL_MAD;
  return { center, spread };
}

/**
 * The genes whose normalised dispersion is at least the `count`-th highest; NaN is never among them.
 *
 * @param normalized Normalised dispersions. [genes]
 * @param count Genes wanted; equals of the last one are added
 * @returns Whether each gene is chosen. [genes]
 */
export function topDispersions(normalized: Float64Array, count: number): boolean[] {
  const known = normalized.filter((value) => !Number.isNaN(value)).sort().reverse();
  const cutoff = known[Math.min(count, known.length) - 1] ?? Infinity;
  return Array.from(normalized, (value) => value >= cutoff);
}

/** Dispersions over batches. */
export interface BatchedDispersions extends Dispersions {
  /** In how many batches a gene is among the chosen. [genes] */
  readonly nBatches: Float64Array<ArrayBuffer>;
  /** The chosen genes. [genes] */
  readonly chosen: boolean[];
}

/**
 * Chooses genes in each batch, among those expressed there, and over batches by the number of batches, then by the mean normalised
 * dispersion. Of equal genes the lower column is first (in scanpy the lower name).
 * Reference: `_highly_variable_genes_batched` of scanpy.
 *
 * @param moments Moments of each batch
 * @param flavor Method
 * @param options Genes wanted, bins of `seurat`
 * @returns Means of means and dispersions over batches, and the chosen genes
 */
export function batchedDispersions(
  moments: readonly GeneMoments[],
  flavor: DispersionFlavor,
  { nTopGenes, nBins }: { readonly nTopGenes: number; readonly nBins: number },
): BatchedDispersions {
  const parts = moments.map((one) => expressedDispersions(one, flavor, { nTopGenes, nBins }));
  const genes = Array.from(moments[0]!.means.keys());
  const over = (key: keyof Dispersions) =>
    Float64Array.from(genes, (gene) => meanOfKnown(parts.map((part) => part[key][gene]!)));
  const nBatches = Float64Array.from(
    genes,
    (gene) => parts.filter((part) => part.chosen[gene]).length,
  );
  const normalized = over("normalized");
  const place = (gene: number) => Number.isNaN(normalized[gene]) ? -Infinity : normalized[gene]!;
  const order = genes.toSorted((a, b) =>
    nBatches[b]! - nBatches[a]! || (place(a) === place(b) ? 0 : place(b) - place(a))
  );
  const chosen = genes.map(() => false);
  for (const gene of order.slice(0, nTopGenes)) chosen[gene] = true;
  return { means: over("means"), dispersions: over("dispersions"), normalized, nBatches, chosen };
}

/** Dispersions among the genes that a batch expresses; zeros for the others. */
function expressedDispersions(
  { n, means, variances }: GeneMoments,
  flavor: DispersionFlavor,
  { nTopGenes, nBins }: { readonly nTopGenes: number; readonly nBins: number },
): Dispersions & { readonly chosen: readonly boolean[] } {
  const expressed = Array.from(means.keys()).filter((gene) => means[gene]! > 0);
  const pick = (values: Float64Array) => Float64Array.from(expressed, (gene) => values[gene]!);
  const part = dispersionsOf({ n, means: pick(means), variances: pick(variances) }, flavor, nBins);
  const top = topDispersions(part.normalized, nTopGenes);
  const spread = (values: Float64Array) => {
    const all = new Float64Array(means.length);
    expressed.forEach((gene, k) => all[gene] = values[k]!);
    return all;
  };
  const chosen = Array.from(means, () => false);
  expressed.forEach((gene, k) => chosen[gene] = top[k]!);
  return {
    means: spread(part.means),
    dispersions: spread(part.dispersions),
    normalized: spread(part.normalized),
    chosen,
  };
}

function meanOfKnown(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
