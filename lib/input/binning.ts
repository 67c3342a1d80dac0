/** Value binning: a cell's values become their ranks in 50 quantile bins, so that cells of any depth speak one language. */

/**
 * What a model sees of a value. "reference" and "deterministic": its bin, and where it lies on several coincident edges, a bin at random or
 * always the middle one. "none": the value as it is, which should be a logarithm (`input_style: "log1p"` of the published fine-tuning):
 * nothing is drawn and levels of expression stay, but cells of other depths must have been normalised the same way.
 */
export type BinningMode = "reference" | "deterministic" | "none";

/** All {@linkcode BinningMode}s, the default first. */
export const BINNING_MODES: readonly BinningMode[] = ["reference", "deterministic", "none"];

/** The draw that makes "deterministic" binning: the middle of the range of bins, the lower of two middles. */
export const MIDDLE = 0.5;

/**
 * Bins the non-zero values of one cell. Edges are the quantiles 0, 1/(nBins-2) .. 1 of the non-zero values; a value strictly
 * between edges has one bin. Counts are tied, so edges coincide: a value on k >= 2 edges at once may be in any of k bins, and
 * u in [0, 1) chooses. The reference draws u at random; u = {@linkcode MIDDLE} takes the middle of the range, near the mean of
 * the draws. Bins depend on ranks alone: any monotone transform of the values (scaling, log1p) gives the same bins.
 * Paper: Methods, "Expression values"; reference: `binning` and `_digitize` in scgpt/preprocess.py, bit-equal given its draws.
 *
 * @example
 * ```ts
 * import { binRow } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(binRow(Float32Array.of(0, 3, 7, 5), 5, () => 0.5), Float32Array.of(0, 1, 4, 2));
 * ```
 *
 * @param values Values of one cell, finite; zeros stay 0 (and a row whose largest value is 0 becomes all 0)
 * @param nBins Number of bins with the zero bin, >= 2
 * @param uniform u for the value at position i of `values`; asked only where the bin depends on it
 * @returns Bins 1 .. nBins-1, and 0 for zeros, in the order of `values`
 */
export function binRow(
  values: Float32Array | Float64Array,
  nBins: number,
  uniform: (position: number) => number,
): Float32Array<ArrayBuffer> {
  const bins = new Float32Array(values.length);
  const edges = binEdges(values, nBins);
  if (edges === undefined) return bins;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    const right = countBelow(edges, value);
    let left = right;
    while (left < edges.length && edges[left] === value) left++;
    bins[i] = left - right < 2 ? left : Math.ceil(uniform(i) * (right - left) + left);
  }
  return bins;
}

/**
 * The bin edges of one cell: quantiles of its non-zero values, in float64 with differences in the values' precision, as numpy's.
 *
 * @param values Values of one cell, finite
 * @param nBins Number of bins with the zero bin, >= 2
 * @returns nBins - 1 ascending edges, or undefined when there is nothing to bin
 */
export function binEdges(
  values: Float32Array | Float64Array,
  nBins: number,
): Float64Array<ArrayBuffer> | undefined {
  const sorted = nonZero(values).sort();
  const n = sorted.length;
  if (n === 0 || (sorted[n - 1]! < 0 && n < values.length)) return undefined;
  const single = sorted instanceof Float32Array;
  const edges = new Float64Array(nBins - 1);
  const step = 1 / Math.max(1, nBins - 2);
  for (let k = 0; k < edges.length; k++) {
    const quantile = k > 0 && k === nBins - 2 ? 1 : k * step;
    const place = quantile * (n - 1);
    const low = Math.floor(place);
    const a = sorted[low]!, b = sorted[Math.min(low + 1, n - 1)]!;
    const difference = single ? Math.fround(b - a) : b - a;
    const part = place - low;
    edges[k] = part < 0.5 ? a + difference * part : b - difference * (1 - part);
  }
  return edges;
}

/** A copy without zeros; a loop, since `filter` takes longer than the sort. */
function nonZero(values: Float32Array | Float64Array): Float32Array | Float64Array {
  const kept = values.slice();
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== 0) kept[n++] = value;
  }
  return kept.subarray(0, n);
}

/** Number of ascending edges below a value. */
function countBelow(edges: Float64Array, value: number): number {
  let low = 0, high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
