/** Keys of the metrics of integration, and their means. */
import type { DenseRows } from "../analysis/rows.ts";
import type { Labels } from "./groups.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/**
 * Keys of {@linkcode IntegrationReport.scores}, in the order of a table. `scib.` are those of the scGPT paper's evaluation (scib 1.1.7),
 * `scib_metrics.` those of scib-metrics 0.5.10 under the names of its functions; numbers under the two are not to be mixed.
 */
export const INTEGRATION_METRICS = [
  "scib.nmi",
  "scib.ari",
  "scib.asw_label",
  "scib.asw_batch",
  "scib.graph_connectivity",
  "scib.pcr_comparison",
  "scib.isolated_labels_asw",
  "scib.avg_bio",
  "scib.avg_batch",
  "scib.overall",
  "scib_metrics.isolated_labels",
  "scib_metrics.kmeans_nmi",
  "scib_metrics.kmeans_ari",
  "scib_metrics.silhouette_label",
  "scib_metrics.clisi_knn",
  "scib_metrics.bras",
  "scib_metrics.ilisi_knn",
  "scib_metrics.kbet",
  "scib_metrics.kbet_per_label",
  "scib_metrics.graph_connectivity",
  "scib_metrics.pcr_comparison",
  "scib_metrics.bio_conservation",
  "scib_metrics.batch_correction",
  "scib_metrics.total",
] as const;

/** A key of {@linkcode INTEGRATION_METRICS}. */
export type IntegrationMetric = typeof INTEGRATION_METRICS[number];

/** A number, or why there is none. */
export interface Score {
  /** The number; null when the metric is not defined for the cells. */
  readonly value: number | null;
  /** Why there is no number, or what a mean leaves out. */
  readonly note?: string;
}

/** Cells whose embedding is judged. */
export interface IntegratedCells {
  /** Embedding [n, d]. */
  readonly embedding: DenseRows;
  /** Cell type of each cell [n]. */
  readonly labels: Labels;
  /** Batch of each cell [n]; without it the metrics of batches have no value. */
  readonly batches?: Labels;
  /** Coordinates before integration [n, e], such as principal components of the genes, which `pcr_comparison` needs. */
  readonly before?: DenseRows;
}

/** Scores without the means. */
export type Parts = Readonly<Partial<Record<IntegrationMetric, Score>>>;

/** What a computation gave, or why it has no value for these cells. */
export type Outcome<T> = { readonly value: T } | { readonly value: null; readonly note: string };

/**
 * Runs a computation; what is undefined for the cells becomes a note.
 *
 * @param run Computes
 * @returns The value, or the reason
 */
export async function outcomeOf<T>(run: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!(error instanceof UndefinedMetricError)) throw error;
    return { value: null, note: error.reason };
  }
}

/**
 * Adds the means, and gives all scores in the order of the keys.
 *
 * @param parts Scores of the metrics themselves
 * @returns Scores of all keys
 */
export function withMeans(parts: Parts): Record<IntegrationMetric, Score> {
  const scores: Partial<Record<IntegrationMetric, Score>> = { ...parts };
  for (const { key, of, without = [] } of MEANS) scores[key] = meanOf(scores, of, without);
  scores["scib.overall"] = weighted(scores, "scib.avg_bio", "scib.avg_batch");
  scores["scib_metrics.total"] = weighted(
    scores,
    "scib_metrics.bio_conservation",
    "scib_metrics.batch_correction",
  );
  const missing = { value: null, note: "it was not computed" };
  return Object.fromEntries(
    INTEGRATION_METRICS.map((key) => [key, scores[key] ?? missing]),
  ) as Record<IntegrationMetric, Score>;
}

/** Means of scores; those of `without` may be missing, as pandas' mean in the reference leaves NaN out. */
const MEANS: readonly {
  readonly key: IntegrationMetric;
  readonly of: readonly IntegrationMetric[];
  readonly without?: readonly IntegrationMetric[];
}[] = [
  { key: "scib.avg_bio", of: ["scib.nmi", "scib.ari", "scib.asw_label"] },
  { key: "scib.avg_batch", of: ["scib.asw_batch", "scib.graph_connectivity"] },
  {
    key: "scib_metrics.bio_conservation",
    of: [
      "scib_metrics.isolated_labels",
      "scib_metrics.kmeans_nmi",
      "scib_metrics.kmeans_ari",
      "scib_metrics.silhouette_label",
      "scib_metrics.clisi_knn",
    ],
    without: ["scib_metrics.isolated_labels"],
  },
  {
    key: "scib_metrics.batch_correction",
    of: [
      "scib_metrics.bras",
      "scib_metrics.ilisi_knn",
      "scib_metrics.kbet_per_label",
      "scib_metrics.graph_connectivity",
      "scib_metrics.pcr_comparison",
    ],
    without: ["scib_metrics.pcr_comparison"],
  },
];

function meanOf(
  scores: Parts,
  keys: readonly IntegrationMetric[],
  without: readonly IntegrationMetric[],
): Score {
  const valueOf = (key: IntegrationMetric): number | null => scores[key]?.value ?? null;
  const absent = keys.filter((key) => valueOf(key) === null);
  const needed = absent.find((key) => !without.includes(key));
  if (needed !== undefined) return { value: null, note: `${needed} has no value` };
  const values = keys.map(valueOf).filter((value) => value !== null);
  const value = values.reduce((sum, part) => sum + part, 0) / values.length;
  return absent.length === 0 ? { value } : { value, note: `without ${absent.join(", ")}` };
}

/** 0.6 of what is kept of biology and 0.4 of how batches are mixed. */
function weighted(scores: Parts, bio: IntegrationMetric, batch: IntegrationMetric): Score {
  const [kept, mixed] = [scores[bio], scores[batch]];
  if (kept?.value == null || mixed?.value == null) {
    return { value: null, note: `${kept?.value == null ? bio : batch} has no value` };
  }
  const notes = [kept.note, mixed.note].filter((note) => note !== undefined);
  const value = 0.6 * kept.value + 0.4 * mixed.value;
  return notes.length === 0 ? { value } : { value, note: notes.join("; ") };
}
