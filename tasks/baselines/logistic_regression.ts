/** Multinomial logistic regression: the linear method that a deep model must beat. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Prediction } from "../analysis/prediction.ts";
import { checkRows, columnMoments, forEachRow, type Rows } from "../analysis/rows.ts";
import { alignCells, type GeneChoice, type LabelledCells, type QueryCells } from "./cells.ts";
import { fitL1Logistic } from "./l1_logistic.ts";
import { minimize, type MinimizeOptions, type Minimum } from "./lbfgs.ts";
import {
  absorbMean,
  linear,
  logisticLoss,
  type LogisticProblem,
  softmax,
} from "./logistic_loss.ts";

/** Settings of {@linkcode fitLogisticRegression}. */
export interface LogisticRegressionOptions {
  /** What is added to C · Σ cross-entropy: `l2` (default) |W|²/2, or `l1` Σ|W|, which leaves most genes out. */
  readonly penalty?: "l1" | "l2";
  /** Inverse strength of the penalty; 1 by default. */
  readonly C?: number;
  /** The solver stops when no slope of the objective, divided by max(1, C), is larger; 0.001 by default, far below scikit-learn's. */
  readonly tolerance?: number;
  /** Steps of the solver; 2,000 by default. */
  readonly maxSteps?: number;
  /** Stops the solver between two steps. */
  readonly signal?: AbortSignal | undefined;
}

/** Fitted classifier of c classes over p columns. */
export interface LogisticRegression {
  /** Classes in code-unit order [c]. */
  readonly classes: readonly string[];
  /** Weights [c, p]; with two classes the first row is zero. */
  readonly coefficients: Float64Array;
  /** Intercepts [c]; with more than two classes they add up to 0. */
  readonly intercepts: Float64Array;
  /** What was minimised, at these weights. */
  readonly objective: number;
  /** Whether the solver reached its tolerance. */
  readonly converged: boolean;
}

const FIT_OPTIONS = ["penalty", "C", "tolerance", "maxSteps", "signal"];

/**
 * Minimises C · Σ cross-entropy + penalty, by L-BFGS or (L1) coordinate descent; intercepts are not penalised, and two classes share one row of weights.
 *
 * Reference: scikit-learn `LogisticRegression(C=1, solver="lbfgs")`, and with `l1` `LogisticRegression(C=1, l1_ratio=1, solver="saga")`
 * (before 1.8 `penalty="l1"`), both at their optimum.
 *
 * @example
 * ```ts
 * import { fitLogisticRegression } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const rows = { nRows: 4, nCols: 2, data: new Float32Array([0, 1, 0.1, 0, 2, 1, 2.1, 0]) };
 * const { coefficients } = await fitLogisticRegression(rows, ["B", "B", "T", "T"], { penalty: "l1" });
 * assert.ok(coefficients[2]! > 0); // the first column tells T from B
 * assert.equal(coefficients[3], 0); // the second does not
 * ```
 *
 * @param rows Values [n, p]
 * @param labels Labels [n]
 * @param options Settings
 * @returns Classifier
 * @throws {RangeError} When rows and labels do not fit, there is one class only, or a setting is out of range
 */
export async function fitLogisticRegression(
  rows: Rows,
  labels: readonly string[],
  options: LogisticRegressionOptions = {},
): Promise<LogisticRegression> {
  refuseUnknownKeys(options, FIT_OPTIONS, "fit a logistic regression");
  const { penalty = "l2", C = 1, tolerance = 1e-3, maxSteps = 2000, signal } = options;
  checkRows(rows, "fit a logistic regression");
  const classes = [...new Set(labels)].sort();
  checkFit(rows, labels, { classes, penalty, C });
  const place = new Map(classes.map((name, at) => [name, at]));
  const target = Uint32Array.from(labels, (label) => place.get(label)!);
  const problem = { rows, target, nClasses: classes.length, C };
  const solve = penalty === "l1" ? fitL1Logistic : fitL2Logistic;
  const stop = { tolerance: tolerance * Math.max(1, C), maxSteps, signal };
  const { x, value, converged } = await solve(problem, stop);
  const free = x.length / (rows.nCols + 1);
  if (free > 1) centre(x.subarray(x.length - free));
  const weights = byClass(x, { nCols: rows.nCols, free, nClasses: classes.length });
  return { classes, objective: value, converged, ...weights };
}

async function fitL2Logistic(
  problem: LogisticProblem,
  options: MinimizeOptions,
): Promise<Minimum> {
  const { rows, nClasses } = problem;
  const { mean } = columnMoments(rows);
  const start = new Float64Array((rows.nCols + 1) * (nClasses === 2 ? 1 : nClasses));
  const found = await minimize((weights) => logisticLoss(problem, mean, weights), start, options);
  absorbMean(found.x, mean);
  return found;
}

function checkFit(
  rows: Rows,
  labels: readonly string[],
  { classes, penalty, C }: { classes: readonly string[]; penalty: string; C: number },
): void {
  if (labels.length !== rows.nRows || classes.length < 2) {
    throw new RangeError(
      `Cannot fit a logistic regression as each row needs a label and two classes must exist: ` +
        `got ${labels.length} labels of ${classes.length} classes for ${rows.nRows} rows`,
    );
  }
  if (!(C > 0 && C < Infinity)) {
    throw new RangeError(`Cannot fit a logistic regression as C must be > 0: got ${C}`);
  }
  if (penalty !== "l1" && penalty !== "l2") {
    throw new RangeError(
      `Cannot fit a logistic regression as penalty must be "l1" or "l2": got "${penalty}"`,
    );
  }
}

/**
 * Probabilities of all classes.
 *
 * @param model Fitted classifier
 * @param rows Values [m, p]
 * @returns Probabilities [m, c]
 * @throws {RangeError} When the number of columns is not the fit's
 */
export function classProbabilities(model: LogisticRegression, rows: Rows): Float64Array {
  const { classes, coefficients, intercepts } = model;
  const c = classes.length, p = coefficients.length / c;
  if (rows.nCols !== p) {
    throw new RangeError(
      `Cannot predict classes as rows must have the ${p} columns of the fit: got ${rows.nCols}`,
    );
  }
  const weights = new Float64Array((p + 1) * c); // [p+1, c]
  for (let k = 0; k < c; k++) {
    for (let j = 0; j < p; j++) weights[j * c + k] = coefficients[k * p + j]!;
    weights[p * c + k] = intercepts[k]!;
  }
  const probabilities = new Float64Array(rows.nRows * c);
  forEachRow(rows, (row, columns, values) => {
    const logits = probabilities.subarray(row * c, (row + 1) * c);
    linear(weights, columns, values, logits);
    softmax(logits);
  });
  return probabilities;
}

/**
 * Learns labels from the reference's log-normalised values over its most variable common genes, and names the query by them.
 *
 * @param reference Labelled cells
 * @param query Cells to name
 * @param options Settings of the classifier, and the genes
 * @returns Most probable labels and their probabilities
 * @throws {RangeError} When the cells share no genes, or there is one class only
 */
export async function logisticRegressionBaseline(
  reference: LabelledCells,
  query: QueryCells,
  options: LogisticRegressionOptions & GeneChoice = {},
): Promise<Prediction> {
  const { nGenes, genes, ...fitOptions } = options;
  const cells = await alignCells(reference, query, { nGenes, genes });
  const model = await fitLogisticRegression(cells.reference, reference.labels, fitOptions);
  const probabilities = classProbabilities(model, cells.query);
  const c = model.classes.length;
  const labels: string[] = [];
  const confidence = new Float32Array(cells.query.nRows);
  for (let cell = 0; cell < cells.query.nRows; cell++) {
    const own = probabilities.subarray(cell * c, (cell + 1) * c);
    const best = own.indexOf(Math.max(...own));
    labels.push(model.classes[best]!);
    confidence[cell] = own[best]!;
  }
  return { labels, confidence };
}

/** Takes the mean off: adding a number to all intercepts changes no probability. */
function centre(intercepts: Float64Array): void {
  const mean = intercepts.reduce((sum, value) => sum + value, 0) / intercepts.length;
  for (let k = 0; k < intercepts.length; k++) intercepts[k]! -= mean;
}

/** Weights by class [c, p]; of two classes the first is the zero that the solver fixed. */
function byClass(
  weights: Float64Array,
  { nCols, free, nClasses }: { nCols: number; free: number; nClasses: number },
): Pick<LogisticRegression, "coefficients" | "intercepts"> {
  const coefficients = new Float64Array(nClasses * nCols), intercepts = new Float64Array(nClasses);
  for (let k = 0; k < free; k++) {
    const row = nClasses - free + k;
    for (let j = 0; j < nCols; j++) coefficients[row * nCols + j] = weights[j * free + k]!;
    intercepts[row] = weights[nCols * free + k]!;
  }
  return { coefficients, intercepts };
}
