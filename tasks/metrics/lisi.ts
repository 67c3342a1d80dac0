/** Local inverse Simpson's indices: how many labels, or batches, a cell's neighbourhood effectively has. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Neighbors } from "../analysis/knn.ts";
import { checkLabels, groupsOf, type Labels } from "./groups.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/** Settings of {@linkcode lisi}. */
export interface LisiOptions {
  /** Effective neighbours; a third of k, rounded down, by default. */
  readonly perplexity?: number;
}

/** Steps of the search for a width, and how near its entropy must come. */
const STEPS = 50, TOLERANCE = 1e-5;

/**
 * 1 / sum over labels of (share of the label among the neighbours)² of each cell, neighbours weighing exp(-distance · width) with the width
 * of the wanted perplexity; the cell itself does not count.
 *
 * Reference: scib-metrics 0.5.10 `lisi_knn` (float32; this is float64); Korsunsky et al. 2019.
 *
 * @param knn Neighbours of n cells among themselves
 * @param labels Label or batch of each cell [n]
 * @param options Settings
 * @returns Index of each cell [n], 1 or more; -1 where distances leave one neighbour all the weight, as in the reference
 * @throws {RangeError} When the number of labels is another, or the perplexity is not above 0
 */
export function lisi(
  knn: Neighbors,
  labels: Labels,
  options: LisiOptions = {},
): Float64Array<ArrayBuffer> {
  refuseUnknownKeys(options, ["perplexity"], "compute LISI");
  const { k, indices, distances } = knn;
  const { perplexity = Math.floor(k / 3) } = options;
  checkLabels(labels, indices.length / k, "compute LISI");
  if (!(perplexity > 0)) {
    throw new RangeError(`Cannot compute LISI as perplexity must be > 0: got ${perplexity}`);
  }
  const { codes, names } = groupsOf(labels);
  const shares = new Float64Array(names.length);
  return Float64Array.from(codes, (_, cell) => {
    const others = indices.subarray(cell * k, (cell + 1) * k);
    const far = distances.subarray(cell * k, (cell + 1) * k);
    const kept = Array.from(far).filter((_, rank) => others[rank] !== cell);
    const weights = weightsOf(kept, Math.log(perplexity));
    if (weights === undefined) return -1;
    shares.fill(0);
    let at = 0;
    for (const other of others) if (other !== cell) shares[codes[other]!]! += weights[at++]!;
    return 1 / shares.reduce((sum, share) => sum + share * share, 0);
  });
}

/**
 * iLISI: how well batches are mixed, (median LISI of batches - 1) / (batches - 1).
 *
 * Reference: scib-metrics 0.5.10 `ilisi_knn`, for which `Benchmarker` takes 90 neighbours. scib 1.1.7's `ilisi_graph` is of the same
 * definition over distances along the graph instead.
 *
 * @param knn Neighbours of n cells among themselves
 * @param batches Batch of each cell [n]
 * @param options Settings
 * @returns Score in 0..1, higher where batches are mixed
 * @throws {RangeError} As {@linkcode lisi}
 * @throws {UndefinedMetricError} When there is one batch
 */
export function ilisi(knn: Neighbors, batches: Labels, options: LisiOptions = {}): number {
  const count = groupsOf(batches).names.length;
  if (count < 2) throw new UndefinedMetricError("compute iLISI", "there must be 2 batches: got 1");
  return (median(lisi(knn, batches, options)) - 1) / (count - 1);
}

/**
 * cLISI: how well labels keep apart, (labels - median LISI of labels) / (labels - 1).
 *
 * Reference: scib-metrics 0.5.10 `clisi_knn`; see {@linkcode ilisi}.
 *
 * @param knn Neighbours of n cells among themselves
 * @param labels Label of each cell [n]
 * @param options Settings
 * @returns Score in 0..1, higher where labels are apart
 * @throws {RangeError} As {@linkcode lisi}
 * @throws {UndefinedMetricError} When there is one label
 */
export function clisi(knn: Neighbors, labels: Labels, options: LisiOptions = {}): number {
  const count = groupsOf(labels).names.length;
  if (count < 2) throw new UndefinedMetricError("compute cLISI", "there must be 2 labels: got 1");
  return (count - median(lisi(knn, labels, options))) / (count - 1);
}

/** Weights of sum 1 whose entropy is the target's, by bisection from width 1; undefined when it ends at entropy 0. */
function weightsOf(distances: readonly number[], target: number): Float64Array | undefined {
  const weights = new Float64Array(distances.length);
  let width = 1, low = -Infinity, high = Infinity;
  let entropy = weigh(distances, width, weights);
  for (let step = 0; step < STEPS && Math.abs(entropy - target) >= TOLERANCE; step++) {
    if (entropy > target) {
      low = width;
      width = high === Infinity ? width * 2 : (width + high) / 2;
    } else {
      high = width;
      width = low === -Infinity ? width / 2 : (width + low) / 2;
    }
    entropy = weigh(distances, width, weights);
  }
  return entropy === 0 ? undefined : weights;
}

/** Writes weights of sum 1 and returns their entropy; 0 when all vanish. */
function weigh(distances: readonly number[], width: number, weights: Float64Array): number {
  let sum = 0, along = 0;
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at] = Math.exp(-distances[at]! * width);
    sum += weight;
    along += distances[at]! * weight;
  }
  if (sum === 0) return 0;
  for (let at = 0; at < weights.length; at++) weights[at]! /= sum;
  return Math.log(sum) + width * along / sum;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
