/** Methods side by side on the same cells. */
import type { Device } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Prediction } from "../analysis/prediction.ts";
import { type ClassificationReport, classificationReport } from "../metrics/classification.ts";
import type { LabelledCells, QueryCells } from "./cells.ts";
import { knnPcaBaseline } from "./knn_pca.ts";
import { logisticRegressionBaseline } from "./logistic_regression.ts";
import { majorityBaseline } from "./majority.ts";

/** Methods by name; each predicts the same cells when called. */
export type Methods = Readonly<Record<string, () => Prediction | Promise<Prediction>>>;

/** One line of the table. */
export interface Comparison {
  /** Name of the method. */
  readonly method: string;
  /** Scores on the query. */
  readonly report: ClassificationReport;
  /** Wall time of learning and predicting. */
  readonly seconds: number;
}

/** Settings of {@linkcode compareMethods} and {@linkcode annotationBaselines}. */
export interface CompareOptions {
  /** Stops between methods, and the baselines in their course. */
  readonly signal?: AbortSignal;
}

/**
 * Runs methods one after the other and scores each against the truth.
 *
 * @example
 * ```ts
 * import { compareMethods } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const always = { labels: ["B", "B"], confidence: new Float32Array([1, 1]) };
 * const [row] = await Array.fromAsync(compareMethods(["B", "T"], { always: () => always }));
 * assert.equal(row?.report.accuracy, 0.5);
 * ```
 *
 * @param truth True labels of the query cells
 * @param methods Methods in the order of the table
 * @param options Signal
 * @returns A line as soon as each method is done
 * @throws {RangeError} When a method does not name each cell
 */
export async function* compareMethods(
  truth: readonly string[],
  methods: Methods,
  options: CompareOptions = {},
): AsyncIterable<Comparison> {
  refuseUnknownKeys(options, ["signal"], "compare methods");
  for (const [method, predict] of Object.entries(methods)) {
    options.signal?.throwIfAborted();
    const start = performance.now();
    const { labels } = await predict();
    const seconds = (performance.now() - start) / 1000;
    yield { method, report: classificationReport(truth, labels), seconds };
  }
}

/**
 * The baselines that every annotation result is to be shown beside, ready for {@linkcode compareMethods}.
 *
 * @param device Device that finds the neighbours
 * @param reference Labelled cells
 * @param query Cells to name
 * @param options Signal
 * @returns Majority, kNN in principal components, and logistic regressions, with their default settings
 */
export function annotationBaselines(
  device: Device,
  reference: LabelledCells,
  query: QueryCells,
  options: CompareOptions = {},
): Methods {
  refuseUnknownKeys(options, ["signal"], "prepare the baselines");
  const logistic = (penalty: "l1" | "l2") => () =>
    logisticRegressionBaseline(reference, query, { ...options, penalty });
  return {
    "majority": () => majorityBaseline(reference, query),
    "kNN (15) on log1p, PCA 50": () => knnPcaBaseline(reference, query, { device, ...options }),
    "L1 logistic on log1p": logistic("l1"),
    "L2 logistic on log1p": logistic("l2"),
  };
}
