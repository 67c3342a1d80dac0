/** An evaluation of integration as a report: tables, figures, and what the numbers do not show. */
import type { Device } from "../../gpu/mod.ts";
import { umap } from "../analysis/umap.ts";
import { INTEGRATION_METRICS, type IntegrationMetric } from "../metrics/integration_metrics.ts";
import type { IntegrationReport } from "../metrics/integration_report.ts";
import { embeddingPlot } from "../plots/embedding.ts";
import { lossPlot } from "../plots/losses.ts";
import { scoresPlot } from "../plots/scores.ts";
import type { Report, ReportCell, ReportFigure, ReportTable } from "../report/report.ts";
import { summarize } from "../report/summary.ts";
import type { ReportHead } from "./report_labels.ts";
import type { IntegrationEvaluation } from "./integration.ts";
import { type MethodResults, TRAINED_METHOD } from "./method_results.ts";

type Methods = readonly MethodResults<IntegrationReport>[];

/** Metrics that the summary and the figure show. */
const SHOWN = {
  "scib.avg_bio": "AvgBIO",
  "scib.avg_batch": "AvgBATCH",
  "scib.overall": "Overall",
} as const satisfies Partial<Record<IntegrationMetric, string>>;

/**
 * Tables (scib's and scib-metrics' numbers, apart) and figures (scores, UMAPs by type and batch, losses) of an evaluation.
 *
 * @param device Device that finds the UMAPs' neighbours
 * @param evaluation What `evaluateIntegration` gave
 * @param head Title and manifest
 * @returns Report for `reportHtml` and `reportJson`
 */
export async function reportIntegration(
  device: Device,
  evaluation: IntegrationEvaluation,
  head: ReportHead,
): Promise<Report> {
  const { methods, seeds, labels, genes, notes } = evaluation;
  return {
    title: head.title,
    summary: summaryOf(methods),
    manifest: { ...head.manifest, seeds, genes, scored_cells: labels.length },
    tables: [
      metricTable(methods, "scib", "As the scGPT paper evaluates: scib's definitions"),
      metricTable(methods, "scib_metrics", "scib-metrics' definitions"),
    ],
    figures: await figuresOf(device, evaluation, head),
    notes,
    limits: [
      "Random weights, variable genes and principal components show what the metrics give without any integration.",
      "Metrics of batches are higher where batches truly differ in nothing: a type of one batch alone counts against an honest method.",
    ],
  };
}

/**
 * Scores of all methods by one family of metrics, with a value for each seed.
 *
 * @param methods Results by method
 * @param family scib's definitions, or those of scib-metrics
 * @param title Heading
 * @returns Table whose key is the family
 */
function metricTable(
  methods: readonly MethodResults<IntegrationReport>[],
  family: "scib" | "scib_metrics",
  title: string,
): ReportTable {
  const metrics = INTEGRATION_METRICS.filter((key) => key.startsWith(`${family}.`));
  return {
    key: family,
    title,
    columns: [
      ...metrics.map((metric) => ({
        key: metric.slice(family.length + 1),
        title: metric.slice(family.length + 1).replaceAll("_", " "),
        better: "higher" as const,
      })),
      { key: "seconds", title: "Seconds", digits: 1 },
    ],
    rows: methods.map(({ method, results, seconds }) => ({
      name: method,
      cells: {
        ...Object.fromEntries(
          metrics.map((metric) => [metric.slice(family.length + 1), cellOf(results, metric)]),
        ),
        seconds,
      },
    })),
  };
}

/** The values of all seeds, or why one has none. */
function cellOf(results: readonly IntegrationReport[], metric: IntegrationMetric): ReportCell {
  const scores = results.map(({ scores }) => scores[metric]);
  const missing = scores.find(({ value }) => value === null);
  return missing === undefined ? scores.map(({ value }) => value!) : missing.note ?? null;
}

function valuesOf({ results }: Methods[number], metric: IntegrationMetric): number[] {
  return results.flatMap(({ scores }) => scores[metric].value ?? []);
}

function summaryOf(methods: Methods): string {
  const overall = methods.flatMap((row) => {
    const values = valuesOf(row, "scib.overall");
    return values.length === 0 ? [] : [{ method: row.method, mean: summarize(values).mean }];
  });
  const ours = overall.find(({ method }) => method === TRAINED_METHOD);
  const [best] = overall.filter((one) => one !== ours).toSorted((a, b) => b.mean - a.mean);
  if (ours === undefined) return "The overall score is not defined for these cells.";
  return `The trained scGPT reaches an overall score (scib) of ${ours.mean.toFixed(3)}` +
    (best === undefined
      ? "."
      : `; the best other method, ${best.method}, ${best.mean.toFixed(3)}.`);
}

async function figuresOf(
  device: Device,
  { methods, losses, labels, batches, embeddings }: IntegrationEvaluation,
  { title, signal }: ReportHead,
): Promise<ReportFigure[]> {
  const scores = methods.map((row) => ({
    method: row.method,
    scores: Object.fromEntries(
      Object.entries(SHOWN).map(([key, name]) => [name, valuesOf(row, key as IntegrationMetric)]),
    ),
  }));
  const figures: ReportFigure[] = [
    {
      key: "scores",
      title: "Scores of all methods",
      svg: scoresPlot(scores, { title, perRow: 3 }),
    },
  ];
  for (const method of [TRAINED_METHOD, "HVG + PCA", "Harmony"]) {
    const { embeddings: rows, nDims } = embeddings.get(method)!;
    const { x, y } = await umap(device, rows, { nDims, ...signal && { signal } });
    const own = method === TRAINED_METHOD ? "scgpt" : method === "Harmony" ? "harmony" : "pca";
    const subtitle = `UMAP of ${method}`;
    for (const [by, groups] of [["type", labels], ["batch", batches]] as const) {
      const svg = embeddingPlot({ x, y, labels: groups, title: `Cells by ${by}` }, { subtitle });
      figures.push({ key: `umap_${own}_${by}`, title: `${method}: cells by ${by}`, svg });
    }
  }
  return [
    ...figures,
    { key: "losses", title: "Losses in training", svg: lossPlot(losses, { subtitle: title }) },
  ];
}
