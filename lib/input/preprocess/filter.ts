/** Leaves out genes and cells with few counts. */
import { refuseUnknownKeys } from "../../options.ts";
import { batchesOf, geneSums } from "./gene_moments.ts";
import { readOptions, type RowSource } from "./row_source.ts";

/** Which genes or cells stay. */
export interface CountFilter {
  /** Least sum of counts. */
  readonly minCounts: number;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The genes that have at least `minCounts` counts over all cells. Reference: `scanpy.pp.filter_genes(min_counts=)`.
 *
 * @param source Counts of cells x genes
 * @param options Bound and abort signal
 * @returns Columns, ascending
 * @throws {RangeError} When a value is negative or not finite
 */
export async function filterGenes(
  source: RowSource,
  options: CountFilter,
): Promise<Uint32Array<ArrayBuffer>> {
  refuseUnknownKeys(options, ["minCounts", "signal"], "filter genes");
  const { minCounts, signal } = options;
  const [totals] = await geneSums(source, batchesOf(undefined, source.shape[0]), { signal });
  return atLeast(totals!.sums, minCounts);
}

/**
 * The cells that have at least `minCounts` counts. Reference: `scanpy.pp.filter_cells(min_counts=)`.
 *
 * @param source Counts of cells x genes
 * @param options Bound, the genes whose counts count (all unless told), and abort signal
 * @returns Rows, ascending
 */
export async function filterCells(
  source: RowSource,
  options: CountFilter & { readonly genes?: ArrayLike<number> | undefined },
): Promise<Uint32Array<ArrayBuffer>> {
  refuseUnknownKeys(options, ["minCounts", "genes", "signal"], "filter cells");
  const { minCounts, genes } = options;
  const counts = new Uint8Array(source.shape[1]).fill(genes === undefined ? 1 : 0);
  for (let k = 0; k < (genes?.length ?? 0); k++) counts[genes![k]!] = 1;
  const totals = new Float64Array(source.shape[0]);
  for await (const { start, nRows, indptr, indices, data } of source.rows(readOptions(options))) {
    for (let row = 0; row < nRows; row++) {
      for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
        totals[start + row]! += data[at]! * counts[indices[at]!]!;
      }
    }
  }
  return atLeast(totals, minCounts);
}

function atLeast(totals: Float64Array, minCounts: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(totals.keys().filter((place) => totals[place]! >= minCounts));
}
