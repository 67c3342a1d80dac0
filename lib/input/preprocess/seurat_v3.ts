/** Variable genes by the variance of standardised counts. */
import type { Batches, GeneMoments } from "./gene_moments.ts";
import { loess } from "./loess.ts";
import { median } from "./median.ts";
import { readOptions, type RowSource } from "./row_source.ts";

/** What the mean of a gene lets expect of its counts. */
interface Expectation {
  /** Expected standard deviation. [genes] */
  readonly deviations: Float64Array;
  /** Counts above are taken as this. [genes] */
  readonly ceilings: Float64Array;
}

/** Cells and their moments. */
export interface Counted {
  /** Counts. */
  readonly source: RowSource;
  /** Batch of each cell. */
  readonly batches: Batches;
  /** Moments of each batch. */
  readonly moments: readonly GeneMoments[];
}

/**
 * Variances of counts that are standardised by the deviation which their mean lets expect: loess of log variance over log mean,
 * counts clipped at sqrt(n) deviations above the mean. A second pass over the cells.
 * Source: Stuart et al., Cell 177, 2019 (Methods, "Feature selection"). Reference: `_highly_variable_genes_seurat_v3` of scanpy.
 *
 * @param counted Counts and their moments
 * @param options Span of the loess, abort signal
 * @returns Standardised variances of each batch. [batches][genes]
 * @throws {RangeError} When the varying genes of a batch have fewer than four different means, naming the batch
 */
export async function standardizedVariances(
  { source, batches, moments }: Counted,
  options: { readonly span: number; readonly signal?: AbortSignal | undefined },
): Promise<Float64Array[]> {
  const expected = moments.map((one, batch) =>
    expectation(one, options.span, batches.names[batch]!)
  );
  const sums = moments.map(({ means }) => new Float64Array(means.length));
  const squares = moments.map(({ means }) => new Float64Array(means.length));
  for await (const { start, nRows, indptr, indices, data } of source.rows(readOptions(options))) {
    for (let row = 0; row < nRows; row++) {
      const batch = batches.codes[start + row]!;
      const { ceilings } = expected[batch]!, sum = sums[batch]!, square = squares[batch]!;
      for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
        const gene = indices[at]!;
        const value = Math.min(data[at]!, ceilings[gene]!);
        sum[gene]! += value;
        square[gene]! += value * value;
      }
    }
  }
  return moments.map(({ n, means }, batch) =>
    means.map((mean, gene) => {
      const scale = 1 / ((n - 1) * expected[batch]!.deviations[gene]! ** 2);
      return scale *
        (n * mean ** 2 + squares[batch]![gene]! - 2 * sums[batch]![gene]! * mean);
    })
  );
}

function expectation({ n, means, variances }: GeneMoments, span: number, batch: string) {
  const varying = Uint32Array.from(variances.keys().filter((gene) => variances[gene]! > 0));
  const logOf = (values: Float64Array) =>
    Float64Array.from(varying, (gene) => Math.log10(values[gene]!));
  const fitted = trend(logOf(means), logOf(variances), { span, batch });
  const deviations = new Float64Array(means.length).fill(1);
  varying.forEach((gene, k) => deviations[gene] = Math.sqrt(10 ** fitted[k]!));
  return {
    deviations,
    ceilings: deviations.map((deviation, gene) => deviation * Math.sqrt(n) + means[gene]!),
  };
}

function trend(
  means: Float64Array,
  variances: Float64Array,
  { span, batch }: { readonly span: number; readonly batch: string },
): Float64Array {
  try {
    return loess(means, variances, { span });
  } catch (cause) {
    const place = batch === "" ? "" : ` in batch ${batch}`;
    throw new RangeError(
      `Cannot choose genes as their variances must follow a trend over their means: ${means.length} genes vary${place}`,
      { cause },
    );
  }
}

/** Ranks of genes over batches. */
export interface Ranking {
  /** Median, over the batches in which a gene is among the first `count`, of its rank from 0; NaN for others. [genes] */
  readonly ranks: Float64Array<ArrayBuffer>;
  /** In how many batches it is. [genes] */
  readonly nBatches: Float64Array<ArrayBuffer>;
  /** All genes, the most variable first. */
  readonly order: readonly number[];
}

/**
 * Ranks genes by their variances in each batch, and over batches by the median rank, then by the number of batches. Of equal
 * genes the lower column is first, as in scanpy with a stable `argsort`; numpy's own is not, and where the last of the chosen genes has
 * equals, scanpy's choice changes with the processor (a few of 1,200 on real cells).
 *
 * @param variances Standardised variances. [batches][genes]
 * @param count Genes wanted
 * @returns Ranks and order
 */
export function rankGenes(variances: readonly Float64Array[], count: number): Ranking {
  const genes = Array.from(variances[0]!.keys());
  const inBatches: number[][] = genes.map(() => []);
  for (const one of variances) {
    const order = genes.toSorted((a, b) => one[b]! - one[a]!);
    for (let rank = 0; rank < Math.min(count, order.length); rank++) {
      inBatches[order[rank]!]!.push(rank);
    }
  }
  const ranks = Float64Array.from(inBatches, median);
  const nBatches = Float64Array.from(inBatches, (one) => one.length);
  const place = (gene: number) => nBatches[gene] === 0 ? Infinity : ranks[gene]!;
  const order = genes.toSorted((a, b) =>
    place(a) === place(b) ? nBatches[b]! - nBatches[a]! : place(a) - place(b)
  );
  return { ranks, nBatches, order };
}
