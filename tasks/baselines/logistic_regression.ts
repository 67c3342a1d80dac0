/** Multinomial logistic regression: the linear method that a deep model must beat. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Prediction } from "../analysis/prediction.ts";
import { checkRows, columnMoments, forEachRow, type Rows } from "../analysis/rows.ts";
import { alignCells, type GeneChoice, type LabelledCells, type QueryCells } from "./cells.ts";
import { type Evaluation, minimize } from "./lbfgs.ts";

/** Settings of {@linkcode fitLogisticRegression}. */
export interface LogisticRegressionOptions {
  /** Inverse strength of the L2 penalty; 1 by default. */
  readonly C?: number;
  /** Steps of the solver; 1,000 by default. */
  readonly maxSteps?: number;
}

/** Fitted classifier of c classes over p columns. */
export interface LogisticRegression {
  /** Classes in code-unit order [c]. */
  readonly classes: readonly string[];
  /** Weights [c, p]; with two classes the first row is zero. */
  readonly coefficients: Float64Array;
  /** Intercepts [c]. */
  readonly intercepts: Float64Array;
  /** Whether the solver reached its tolerance. */
  readonly converged: boolean;
}

/**
 * Minimises C · Σ cross-entropy + |W|²/2 by L-BFGS; intercepts are not penalised, and two classes share one row of weights.
 *
 * Reference: scikit-learn `LogisticRegression(C=1, solver="lbfgs")` at its optimum.
 *
 * @param rows Values [n, p]
 * @param labels Labels [n]
 * @param options Settings
 * @returns Classifier
 * @throws {RangeError} When rows and labels do not fit, there is one class only, or C is not positive
 */
export function fitLogisticRegression(
  rows: Rows,
  labels: readonly string[],
  options: LogisticRegressionOptions = {},
): LogisticRegression {
  refuseUnknownKeys(options, ["C", "maxSteps"], "fit a logistic regression");
  const { C = 1, maxSteps = 1000 } = options;
  checkRows(rows, "fit a logistic regression");
  const classes = [...new Set(labels)].sort();
  if (labels.length !== rows.nRows || classes.length < 2) {
    throw new RangeError(
      `Cannot fit a logistic regression as each row needs a label and two classes must exist: ` +
        `got ${labels.length} labels of ${classes.length} classes for ${rows.nRows} rows`,
    );
  }
  if (!(C > 0 && C < Infinity)) {
    throw new RangeError(`Cannot fit a logistic regression as C must be > 0: got ${C}`);
  }
  const place = new Map(classes.map((name, at) => [name, at]));
  const target = Uint32Array.from(labels, (label) => place.get(label)!);
  const free = classes.length === 2 ? 1 : classes.length; // rows of weights
  const { mean } = columnMoments(rows);
  const { x, converged } = minimize(
    (weights) => penalizedLoss({ rows, mean, target, free, C }, weights),
    new Float64Array((rows.nCols + 1) * free),
    { tolerance: 1e-5 * Math.max(1, C), maxSteps },
  );
  absorbMean(x, mean);
  return {
    classes,
    converged,
    ...byClass(x, { nCols: rows.nCols, free, nClasses: classes.length }),
  };
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
export function logisticRegressionBaseline(
  reference: LabelledCells,
  query: QueryCells,
  options: LogisticRegressionOptions & GeneChoice = {},
): Prediction {
  const { nGenes, genes, ...fitOptions } = options;
  const cells = alignCells(reference, query, { nGenes, genes });
  const model = fitLogisticRegression(cells.reference, reference.labels, fitOptions);
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

/** What the loss is computed from. */
interface Problem {
  readonly rows: Rows;
  readonly mean: Float64Array; // of the columns [p]
  readonly target: Uint32Array; // class of each row [n]
  readonly free: number; // f: rows of weights; 1 stands for two classes with logits 0 and z
  readonly C: number;
}

/**
 * C · Σ cross-entropy + |W|²/2 with its gradient, for weights [p+1, f]: those of the columns, then the intercepts. Columns are taken off their
 * means, which leaves the optimum's W as it is and saves the solver a factor of ten in steps.
 */
function penalizedLoss(
  { rows, mean, target, free, C }: Problem,
  weights: Float64Array,
): Evaluation {
  const p = rows.nCols;
  const gradient = weights.slice(); // of the penalty; none on the intercepts
  gradient.fill(0, p * free);
  let value = 0;
  for (let at = 0; at < p * free; at++) value += weights[at]! ** 2 / 2;
  const shifted = weights.slice();
  absorbMean(shifted, mean);
  const logits = new Float64Array(Math.max(free, 2));
  const slopes = logits.subarray(logits.length - free); // of the free rows
  forEachRow(rows, (row, columns, values) => {
    logits[0] = 0;
    linear(shifted, columns, values, slopes);
    const own = logits[target[row]!]!;
    value += C * (softmax(logits) - own);
    logits[target[row]!]! -= 1; // d cross-entropy / d logits
    addOuter(gradient, slopes, columns, { values, scale: C });
  });
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < free; k++) gradient[j * free + k]! -= mean[j]! * gradient[p * free + k]!;
  }
  return { value, gradient };
}

/** Intercepts for columns as they are, from those for columns off their means: b - Wᵀ mean. */
function absorbMean(weights: Float64Array, mean: Float64Array): void {
  const p = mean.length, f = weights.length / (p + 1);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < f; k++) weights[p * f + k]! -= mean[j]! * weights[j * f + k]!;
  }
}

/** z = Wᵀx + b for one row; weights [p+1, f] -> z [f]. */
function linear(
  weights: Float64Array,
  columns: Uint32Array,
  values: ArrayLike<number>,
  z: Float64Array,
): void {
  const f = z.length, intercepts = weights.length - f;
  for (let k = 0; k < f; k++) z[k] = weights[intercepts + k]!;
  for (let at = 0; at < columns.length; at++) {
    const value = values[at]!, start = columns[at]! * f;
    for (let k = 0; k < f; k++) z[k]! += value * weights[start + k]!;
  }
}

/** gradient += scale · [x; 1] zᵀ for one row. */
function addOuter(
  gradient: Float64Array,
  z: Float64Array,
  columns: Uint32Array,
  { values, scale }: { values: ArrayLike<number>; scale: number },
): void {
  const f = z.length, intercepts = gradient.length - f;
  for (let k = 0; k < f; k++) gradient[intercepts + k]! += scale * z[k]!;
  for (let at = 0; at < columns.length; at++) {
    const value = scale * values[at]!, start = columns[at]! * f;
    for (let k = 0; k < f; k++) gradient[start + k]! += value * z[k]!;
  }
}

/** Turns logits into probabilities in place; returns the logarithm of the sum of their exponentials. */
function softmax(logits: Float64Array): number {
  let largest = -Infinity, sum = 0;
  for (const logit of logits) largest = Math.max(largest, logit);
  for (let k = 0; k < logits.length; k++) {
    logits[k] = Math.exp(logits[k]! - largest);
    sum += logits[k]!;
  }
  for (let k = 0; k < logits.length; k++) logits[k]! /= sum;
  return largest + Math.log(sum);
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
