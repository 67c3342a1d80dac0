/** Scores of a mapping beside the baselines, and its figures: what `map` and the demo show. */
import Table from "cli-table3";
import {
  type AnnData,
  annotationBaselines,
  compareMethods,
  type Comparison,
  confusionPlot,
  embeddingPlot,
  type MapReferenceResult,
  readCells,
  type ScGPT,
  umap,
} from "../../mod.ts";
import { writeFigures } from "./annotation_figures.ts";

/** A mapping of query cells whose true labels are known. */
export interface MappedCells {
  /** The reference. */
  readonly reference: AnnData;
  /** The query. */
  readonly query: AnnData;
  /** Matrix that both are read from. */
  readonly layer: string;
  /** What the mapping gave. */
  readonly result: MapReferenceResult;
  /** True label of each query cell; null where it is not known or not to be counted. */
  readonly truth: readonly (string | null)[];
}

/** One line of the metrics table as data. */
export interface MetricsRow {
  /** Method. */
  readonly method: string;
  /** Share of right labels. */
  readonly accuracy: number;
  /** Mean precision over classes. */
  readonly macro_precision: number;
  /** Mean recall over classes. */
  readonly macro_recall: number;
  /** Mean F1 over classes. */
  readonly macro_f1: number;
  /** Share of cells that got a label. */
  readonly coverage: number;
  /** Wall time. */
  readonly seconds: number;
}

/** Runs the baselines on the same cells and scores all methods on the query cells with a true label. */
export async function compareWithBaselines(
  mapped: MappedCells,
  model: ScGPT,
  options: { readonly name: string; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Comparison[]> {
  const { reference, query, layer, result, truth } = mapped;
  const scored = scoredRows(truth);
  const known = await readCells(reference.select({ obs: result.referenceRows }), layer);
  const asked = await readCells(query.select({ obs: scored }), layer);
  const baselines = annotationBaselines(
    model.device,
    { ...known, labels: result.referenceLabels },
    asked,
  );
  const ours = {
    labels: scored.map((row) => result.labels[row]!),
    confidence: Float32Array.from(scored, (row) => result.confidence[row]!),
  };
  const methods = { [options.name]: () => ours, ...baselines };
  const wanted = scored.map((row) => truth[row]!);
  const rows = await Array.fromAsync(compareMethods(wanted, methods, { signal: options.signal }));
  return rows.map((row) =>
    row.method === options.name ? { ...row, seconds: options.seconds } : row
  );
}

/** The metrics as plain data. */
export function metricsRows(comparisons: readonly Comparison[]): MetricsRow[] {
  return comparisons.map(({ method, report, seconds }) => ({
    method,
    accuracy: report.accuracy,
    macro_precision: report.macroPrecision,
    macro_recall: report.macroRecall,
    macro_f1: report.macroF1,
    coverage: report.coverage,
    seconds,
  }));
}

/** The metrics as a table for people. */
export function metricsTable(rows: readonly MetricsRow[]): string {
  const table = new Table({
    head: ["method", "accuracy", "macro precision", "macro recall", "macro F1", "seconds"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  for (const row of rows) {
    const scores = [row.accuracy, row.macro_precision, row.macro_recall, row.macro_f1];
    table.push([row.method, ...scores.map((score) => score.toFixed(3)), row.seconds.toFixed(1)]);
  }
  return table.toString();
}

/** Draws UMAPs of the query by true and predicted label and the confusion matrix, each as SVG and PNG; returns the paths. */
export async function drawMapping(
  mapped: MappedCells,
  model: ScGPT,
  options: {
    readonly folder: string;
    readonly title: string;
    readonly weights: string;
    readonly comparison: Comparison | undefined;
    readonly signal: AbortSignal;
  },
): Promise<string[]> {
  const { result, truth } = mapped;
  const { folder, title, weights, comparison, signal } = options;
  await Deno.mkdir(folder, { recursive: true });
  const { embeddings, width } = result.query;
  const { x, y } = await umap(model.device, embeddings, { nDims: width, signal });
  const subtitle = `UMAP of scGPT embeddings, ${weights}`;
  const figures: Record<string, string> = {
    umap_predicted: embeddingPlot({ x, y, labels: result.labels, title: `${title}: predicted` }, {
      subtitle,
    }),
  };
  if (comparison !== undefined) {
    const labels = truth.map((label) => label ?? "unknown");
    figures["umap_true"] = embeddingPlot({ x, y, labels, title: `${title}: true labels` }, {
      subtitle,
    });
    const { report } = comparison;
    figures["confusion"] = confusionPlot(report.confusion, {
      title: `${title}: predicted and true labels`,
      subtitle: `${comparison.method}, accuracy ${report.accuracy.toFixed(3)}, macro F1 ${
        report.macroF1.toFixed(3)
      }`,
    });
  }
  return await writeFigures(folder, figures);
}

/** Rows whose true label is known. */
function scoredRows(truth: readonly (string | null)[]): number[] {
  return truth.flatMap((label, row) => label === null ? [] : [row]);
}
