/** An evaluation of labels as a report: tables, figures, and what the numbers do not show. */
import type { Device } from "../../gpu/mod.ts";
import { umap } from "../analysis/umap.ts";
import { type ClassificationReport, confusionMatrix } from "../metrics/classification.ts";
import { confusionPlot } from "../plots/confusion.ts";
import { embeddingPlot } from "../plots/embedding.ts";
import { lossPlot } from "../plots/losses.ts";
import { scoresPlot } from "../plots/scores.ts";
import type { Report, ReportFigure, ReportTable } from "../report/report.ts";
import { summarize } from "../report/summary.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import type { LossRun } from "../plots/losses.ts";
import { ENSEMBLE_METHOD, type MethodResults } from "./method_results.ts";

/** What `evaluateAnnotation` and `evaluateMapping` give. */
export interface LabelEvaluation {
  /** The model first. */
  readonly methods: readonly MethodResults<ClassificationReport>[];
  /** Seeds. */
  readonly seeds: readonly number[];
  /** Cells of each class that were learned from. */
  readonly classes: Readonly<Record<string, number>>;
  /** True labels of the scored cells. */
  readonly truth: readonly string[];
  /** Their labels by the model, first seed. */
  readonly predicted: readonly string[];
  /** Their embeddings by it. */
  readonly embedding: CellEmbedding;
  /** What a reader should know. */
  readonly notes: readonly string[];
  /** Losses of the trainings, if there were some. */
  readonly losses?: readonly LossRun[];
  /** How the genes were chosen, if they were. */
  readonly genes?: string;
}

/** What a report is called, and what decided its numbers. */
export interface ReportHead {
  /** Heading, such as "Annotation: pbmc3k to pbmc4k". */
  readonly title: string;
  /** Data, settings, versions, device. */
  readonly manifest: Report["manifest"];
  /** Stops the drawing. */
  readonly signal?: AbortSignal;
}

/**
 * Tables (scores by method, F1 by class) and figures (scores, UMAPs, confusion, losses) of an evaluation.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { classificationReport, reportHtml, reportLabels } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const truth = Array.from({ length: 30 }, (_, cell) => cell % 2 === 0 ? "B" : "T");
 * const results = [classificationReport(truth, truth)];
 * const embeddings = Float32Array.from({ length: 60 }, (_, i) => i % 4 < 2 ? 1 : Math.sin(i));
 * await using device = await openWasmDevice({ threads: 1 });
 * const report = await reportLabels(device, {
 *   methods: [{ method: "scGPT", results, seconds: [1] }],
 *   seeds: [1],
 *   classes: { B: 9, T: 9 },
 *   truth,
 *   predicted: truth,
 *   embedding: { embeddings, nDims: 2 },
 *   notes: [],
 * }, { title: "Two types", manifest: {} });
 * assert.match(reportHtml(report), /scGPT: accuracy 1\.000/);
 * ```
 *
 * @param device Device that finds the UMAP's neighbours
 * @param evaluation What was measured
 * @param head Title and manifest
 * @returns Report for `reportHtml` and `reportJson`
 */
export async function reportLabels(
  device: Device,
  evaluation: LabelEvaluation,
  head: ReportHead,
): Promise<Report> {
  const { methods, seeds, truth, genes, notes } = evaluation;
  return {
    title: head.title,
    summary: summaryOf(methods),
    manifest: {
      ...head.manifest,
      seeds,
      scored_cells: truth.length,
      ...genes !== undefined && { genes },
    },
    tables: [scoreTable(methods), classTable(evaluation)],
    figures: await figuresOf(device, evaluation, head),
    notes,
    limits: [
      "Scores are those of the labels given, which are themselves somebody's annotation.",
      seeds.length < 3
        ? `${
          seeds.length === 1 ? "One seed" : "Two seeds"
        }: the spread between trainings is not shown.`
        : "The spread is that of trainings with other seeds on the same cells, not that of other data.",
    ],
  };
}

const SCORES = [
  { key: "accuracy", title: "Accuracy", of: (one: ClassificationReport) => one.accuracy },
  { key: "macro_f1", title: "Macro F1", of: (one: ClassificationReport) => one.macroF1 },
  {
    key: "macro_precision",
    title: "Macro precision",
    of: (one: ClassificationReport) => one.macroPrecision,
  },
  {
    key: "macro_recall",
    title: "Macro recall",
    of: (one: ClassificationReport) => one.macroRecall,
  },
] as const;

type Methods = readonly MethodResults<ClassificationReport>[];

/**
 * Accuracy and macro scores of all methods, with a value for each seed.
 *
 * @param methods Results by method
 * @returns Table with the key "scores"
 */
function scoreTable(
  methods: readonly MethodResults<ClassificationReport>[],
): ReportTable {
  return {
    key: "scores",
    title: "Scores",
    caption: "On the query cells with a known label, which no method has seen.",
    columns: [
      ...SCORES.map(({ key, title }) => ({ key, title, better: "higher" as const })),
      { key: "seconds", title: "Seconds", digits: 1 },
    ],
    rows: methods.map(({ method, results, seconds }) => ({
      name: method,
      cells: {
        ...Object.fromEntries(SCORES.map(({ key, of }) => [key, results.map(of)])),
        seconds,
      },
    })),
  };
}

/** F1 of each class by method. */
function classTable({ methods, classes }: LabelEvaluation): ReportTable {
  const [first] = methods;
  const perClass = first!.results[0]!.perClass;
  const f1 = (results: readonly ClassificationReport[], label: string) =>
    results.map((one) => one.perClass.find((own) => own.label === label)?.f1 ?? 0);
  return {
    key: "classes",
    title: "F1 by class",
    rowTitle: "Class",
    columns: [
      { key: "trained_on", title: "Cells learned", digits: 0 },
      { key: "scored", title: "Cells scored", digits: 0 },
      ...methods.map(({ method }, at) => ({ key: `f1_${at}`, title: method })),
    ],
    rows: perClass.map(({ label, support }) => ({
      name: label,
      cells: {
        trained_on: classes[label] ?? 0,
        scored: support,
        ...Object.fromEntries(methods.map(({ results }, at) => [`f1_${at}`, f1(results, label)])),
      },
    })),
  };
}

function summaryOf(methods: Methods): string {
  const mean = (of: (one: ClassificationReport) => number) => (row: Methods[number]) =>
    summarize(row.results.map(of)).mean;
  const accuracy = mean((one) => one.accuracy), f1 = mean((one) => one.macroF1);
  const [ours, ...others] = methods as [Methods[number], ...Methods];
  const ensemble = others.find(({ method }) => method === ENSEMBLE_METHOD);
  const [best] = others.filter((row) => row !== ensemble)
    .toSorted((a, b) => accuracy(b) - accuracy(a));
  const says = (row: Methods[number]) =>
    `accuracy ${accuracy(row).toFixed(3)} and macro F1 ${f1(row).toFixed(3)}`;
  return `${ours.method}: ${says(ours)}` +
    (ensemble === undefined ? "" : `; ${ensemble.method}: ${says(ensemble)}`) +
    (best === undefined ? "." : `; the best of the others, ${best.method}: ${says(best)}.`);
}

async function figuresOf(
  device: Device,
  { methods, truth, predicted, embedding, losses }: LabelEvaluation,
  { title, signal }: ReportHead,
): Promise<ReportFigure[]> {
  const { embeddings, nDims } = embedding;
  const { x, y } = await umap(device, embeddings, { nDims, ...signal && { signal } });
  const classes = [...new Set([...truth, ...predicted])].sort();
  const [{ method: ours, results: [first] }] = methods as [Methods[number]];
  const subtitle = `UMAP of the embeddings of: ${ours}, first seed`;
  const cells = (labels: readonly string[], title: string) =>
    embeddingPlot({ x, y, labels, title }, { subtitle, classes });
  const scores = methods.map(({ method, results }) => ({
    method,
    scores: {
      Accuracy: results.map((one) => one.accuracy),
      "Macro F1": results.map((one) => one.macroF1),
    },
  }));
  return [
    { key: "scores", title: "Scores of all methods", svg: scoresPlot(scores, { title }) },
    { key: "umap_true", title: "Query cells by true label", svg: cells(truth, "True cell types") },
    {
      key: "umap_predicted",
      title: "Query cells by predicted label",
      svg: cells(predicted, "Predicted cell types"),
    },
    {
      key: "confusion",
      title: "Predicted and true labels of the first seed",
      svg: confusionPlot(confusionMatrix(truth, predicted), {
        subtitle: `${ours}, accuracy ${first!.accuracy.toFixed(3)}`,
      }),
    },
    ...losses === undefined ? [] : [{
      key: "losses",
      title: "Losses in training",
      svg: lossPlot(losses, { subtitle: title }),
    }],
  ];
}
