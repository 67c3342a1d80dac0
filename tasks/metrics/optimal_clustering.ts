/** Clusterings that are compared with labels. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { leiden } from "../analysis/leiden.ts";
import type { WeightedGraph } from "../analysis/neighbors.ts";
import type { DenseRows } from "../analysis/rows.ts";
import { adjustedRandIndex, normalizedMutualInfo } from "./agreement.ts";
import { checkLabels, groupsOf, type Labels } from "./groups.ts";
import { kMeans } from "./kmeans.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/** Settings of {@linkcode clusterOptimalResolution}. */
export interface OptimalResolutionOptions {
  /** Resolutions to try; 0.2, 0.4 ... 2 by default. */
  readonly resolutions?: readonly number[];
  /** Seed of the clusterings; 0 by default. */
  readonly seed?: number;
  /** Stops the search. */
  readonly signal?: AbortSignal;
}

/** The clustering that agrees best with labels. */
export interface OptimalClustering {
  /** Cluster of each cell [n]. */
  readonly clusters: Uint32Array<ArrayBuffer>;
  /** Its resolution, the first of equally good ones. */
  readonly resolution: number;
  /** Its normalised mutual information with the labels. */
  readonly nmi: number;
  /** Its adjusted Rand index with the labels. */
  readonly ari: number;
  /** Normalised mutual information at each resolution that was tried. */
  readonly curve: readonly { readonly resolution: number; readonly nmi: number }[];
}

/** scib's `get_resolutions(n=10, max=2)`. */
const RESOLUTIONS: readonly number[] = Array.from({ length: 10 }, (_, i) => (i + 1) / 5);

/**
 * Leiden clusterings at several resolutions, of which the one with the largest normalised mutual information with the labels is given.
 *
 * Reference: scib 1.1.7 `metrics.cluster_optimal_resolution` (Leiden, 10 resolutions up to 2). Older scib, which the scGPT paper used, took
 * Louvain at 20 (`opt_louvain`).
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { clusterOptimalResolution, neighbors } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const rows = new Float32Array([0, 1, 3, 100, 101, 103]);
 * const graph = await neighbors(device, rows, { nDims: 1, nNeighbors: 3 });
 * const { nmi } = await clusterOptimalResolution(graph, ["B", "B", "B", "T", "T", "T"]);
 * assert.equal(nmi, 1);
 * ```
 *
 * @param graph Connectivities of n cells
 * @param labels Label of each cell [n]
 * @param options Settings
 * @returns The best clustering and its scores
 * @throws {RangeError} When the number of labels is another, or there is no resolution
 * @throws {UndefinedMetricError} When there is one label
 */
export async function clusterOptimalResolution(
  graph: WeightedGraph,
  labels: Labels,
  options: OptimalResolutionOptions = {},
): Promise<OptimalClustering> {
  const act = "compare clusters with labels";
  refuseUnknownKeys(options, ["resolutions", "seed", "signal"], act);
  const { resolutions = RESOLUTIONS, ...search } = options;
  checkLabels(labels, graph.n, act);
  if (resolutions.length === 0) {
    throw new RangeError(`Cannot ${act} as there must be a resolution: got none`);
  }
  const nLabels = groupsOf(labels).names.length;
  if (nLabels < 2) throw new UndefinedMetricError(act, "there must be 2 labels: got 1");
  const curve: { resolution: number; nmi: number }[] = [];
  let best: { clusters: Uint32Array<ArrayBuffer>; resolution: number; nmi: number } | undefined;
  for (const resolution of resolutions) {
    const clusters = await leiden(graph, { ...search, resolution });
    const nmi = normalizedMutualInfo(labels, clusters);
    curve.push({ resolution, nmi });
    if (best === undefined || nmi > best.nmi) best = { clusters, resolution, nmi };
  }
  return { ...best!, ari: adjustedRandIndex(labels, best!.clusters), curve };
}

/** Settings of {@linkcode kMeansAgreement}. */
export interface KMeansAgreementOptions {
  /** Seed of the start; 0 by default. */
  readonly seed?: number;
  /** Stops the clustering. */
  readonly signal?: AbortSignal;
}

/**
 * Agreement of labels with k-means of as many clusters, from one start: the scores move with the seed.
 *
 * Reference: scib-metrics 0.5.10 `nmi_ari_cluster_labels_kmeans`, whose draws are others.
 *
 * @param rows Cell embeddings [n, d]
 * @param labels Label of each cell [n]
 * @param options Settings
 * @returns Normalised mutual information and adjusted Rand index
 * @throws {RangeError} When sizes do not fit
 * @throws {UndefinedMetricError} When there is one label
 */
export async function kMeansAgreement(
  rows: DenseRows,
  labels: Labels,
  options: KMeansAgreementOptions = {},
): Promise<{ readonly nmi: number; readonly ari: number }> {
  const act = "compare clusters with labels";
  refuseUnknownKeys(options, ["seed", "signal"], act);
  checkLabels(labels, rows.nRows, act);
  const nClusters = groupsOf(labels).names.length;
  if (nClusters < 2) throw new UndefinedMetricError(act, "there must be 2 labels: got 1");
  const { clusters } = await kMeans(rows, { ...options, nClusters });
  return { nmi: normalizedMutualInfo(labels, clusters), ari: adjustedRandIndex(labels, clusters) };
}
