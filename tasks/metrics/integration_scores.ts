/** The metrics of integration one after the other, on neighbours and silhouettes that are found once. */
import type { Neighbors } from "../analysis/knn.ts";
import { fuzzyGraph } from "../analysis/neighbors.ts";
import { bras, isolatedLabels, silhouetteBatch } from "./batch_silhouette.ts";
import { graphConnectivity } from "./graph_connectivity.ts";
import { batchesPerLabel, groupsOf, type Labels } from "./groups.ts";
import {
  type IntegratedCells,
  type Outcome,
  outcomeOf,
  type Parts,
  type Score,
} from "./integration_metrics.ts";
import { kbet, kbetPerLabel } from "./kbet.ts";
import { clisi, ilisi } from "./lisi.ts";
import { clusterOptimalResolution, kMeansAgreement } from "./optimal_clustering.ts";
import { pcrComparison } from "./pcr.ts";
import { scaledMean } from "./silhouette.ts";

/** What the metrics share. */
export interface Evidence {
  /** Cells. */
  readonly cells: IntegratedCells;
  /** Neighbours for LISI. */
  readonly knn: Neighbors;
  /** Silhouettes of the labels. */
  readonly samples: Outcome<Float64Array>;
  /** Settings of the clusterings. */
  readonly options: {
    readonly resolutions?: readonly number[];
    readonly seed?: number;
    readonly signal?: AbortSignal;
  };
}

/** Neighbours, the cell included, of scanpy's graph and of kBET's. */
const GRAPH_NEIGHBORS = 15, KBET_NEIGHBORS = 50;
/** Components that scib regresses. */
const SCIB_COMPONENTS = 50;

/**
 * Metrics that need labels alone.
 *
 * @param evidence What the metrics share
 * @returns Scores, and the resolution of the best Leiden clustering
 */
export async function labelScores(
  { cells: { embedding, labels }, knn, samples, options }: Evidence,
): Promise<{ readonly scores: Parts; readonly resolution: number | null }> {
  const { resolutions: _, ...search } = options;
  const graph = fuzzyGraph(firstNeighbors(knn, GRAPH_NEIGHBORS));
  const best = await outcomeOf(() => clusterOptimalResolution(graph, labels, options));
  const means = await outcomeOf(() => kMeansAgreement(embedding, labels, search));
  const asw = pick(samples, scaledMean);
  return {
    resolution: best.value?.resolution ?? null,
    scores: {
      "scib.nmi": pick(best, ({ nmi }) => nmi),
      "scib.ari": pick(best, ({ ari }) => ari),
      "scib.asw_label": asw,
      "scib.graph_connectivity": { value: graphConnectivity(graph, labels) },
      "scib_metrics.kmeans_nmi": pick(means, ({ nmi }) => nmi),
      "scib_metrics.kmeans_ari": pick(means, ({ ari }) => ari),
      "scib_metrics.silhouette_label": asw,
      "scib_metrics.clisi_knn": await outcomeOf(() => clisi(knn, labels)),
      "scib_metrics.graph_connectivity": {
        value: graphConnectivity(firstNeighbors(knn, GRAPH_NEIGHBORS), labels),
      },
    },
  };
}

/** Keys of the metrics that need batches. */
const OF_BATCHES = [
  "scib.asw_batch",
  "scib.pcr_comparison",
  "scib.isolated_labels_asw",
  "scib_metrics.isolated_labels",
  "scib_metrics.bras",
  "scib_metrics.ilisi_knn",
  "scib_metrics.kbet",
  "scib_metrics.kbet_per_label",
  "scib_metrics.pcr_comparison",
] as const;

/**
 * Metrics that need batches as well.
 *
 * @param evidence What the metrics share
 * @returns Scores, and kBET by label
 */
export async function batchScores(
  evidence: Evidence,
): Promise<{ readonly scores: Parts; readonly kbetPerLabel: Record<string, number | null> }> {
  const { cells, knn, options: { signal } } = evidence;
  const { embedding, labels, batches } = cells;
  if (batches === undefined) {
    const score: Score = { value: null, note: "no batches were given" };
    return { scores: Object.fromEntries(OF_BATCHES.map((key) => [key, score])), kbetPerLabel: {} };
  }
  const stop = signal && { signal };
  const near = firstNeighbors(knn, KBET_NEIGHBORS);
  const perLabel = await outcomeOf(() => kbetPerLabel(fuzzyGraph(near), { labels, batches }, stop));
  return {
    kbetPerLabel: { ...perLabel.value?.perLabel },
    scores: {
      "scib.asw_batch": await outcomeOf(() => silhouetteBatch(embedding, labels, batches, stop)),
      "scib_metrics.bras": await outcomeOf(() => bras(embedding, labels, batches, stop)),
      "scib_metrics.ilisi_knn": await outcomeOf(() => ilisi(knn, batches)),
      "scib_metrics.kbet": await outcomeOf(() => kbet(near, batches).acceptance),
      "scib_metrics.kbet_per_label": pick(perLabel, ({ score }) => score),
      ...await regressionScores(cells, batches, stop),
      ...await isolatedScores(evidence, batches),
    },
  };
}

async function regressionScores(
  { before, embedding }: IntegratedCells,
  batches: Labels,
  stop: { readonly signal: AbortSignal } | undefined,
): Promise<Parts> {
  const keys = ["scib.pcr_comparison", "scib_metrics.pcr_comparison"] as const;
  if (before === undefined) {
    const score: Score = { value: null, note: "no coordinates before integration were given" };
    return { [keys[0]]: score, [keys[1]]: score };
  }
  const scib = { ...stop, nComponents: SCIB_COMPONENTS };
  return {
    [keys[0]]: await outcomeOf(() => pcrComparison(before, embedding, batches, scib)),
    [keys[1]]: await outcomeOf(() => pcrComparison(before, embedding, batches, stop)),
  };
}

async function isolatedScores(
  { samples, cells: { labels } }: Evidence,
  batches: Labels,
): Promise<Parts> {
  if (samples.value === null) {
    return { "scib.isolated_labels_asw": samples, "scib_metrics.isolated_labels": samples };
  }
  const score = await outcomeOf(() => isolatedLabels(samples.value, labels, batches));
  const groups = groupsOf(batches);
  const least = Math.min(...batchesPerLabel(groupsOf(labels), groups));
  return {
    "scib.isolated_labels_asw": least < groups.names.length
      ? score
      : { value: null, note: "a label must be absent from some batch: none is" },
    "scib_metrics.isolated_labels": score,
  };
}

function pick<T>(outcome: Outcome<T>, number: (value: T) => number): Score {
  return "note" in outcome ? outcome : { value: number(outcome.value) };
}

/** The nearest `k` of each cell's neighbours. */
function firstNeighbors({ k: all, indices, distances }: Neighbors, k: number): Neighbors {
  if (k >= all) return { k: all, indices, distances };
  const nearest = (_: number, rank: number): boolean => rank % all < k;
  return { k, indices: indices.filter(nearest), distances: distances.filter(nearest) };
}
