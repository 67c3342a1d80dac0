/** Cross-entropy of a linear classifier over sparse rows, and its gradient. */
import { forEachRow, type Rows } from "../analysis/rows.ts";
import type { Evaluation } from "./lbfgs.ts";

/** What is fitted. */
export interface LogisticProblem {
  /** Values [n, p]. */
  readonly rows: Rows;
  /** Class of each row [n]. */
  readonly target: Uint32Array;
  /** c; two classes have logits 0 and z, so that f = 1 row of weights is free, else f = c. */
  readonly nClasses: number;
  /** Weight of the cross-entropy against the penalty. */
  readonly C: number;
}

/**
 * C · Σ cross-entropy + |W|²/2 with its gradient, for weights [p+1, f]: those of the columns, then the intercepts, which are not
 * penalised. Columns are taken off their means, which leaves the optimum's W as it is and saves the solver a factor of ten in steps.
 *
 * @param problem Rows, classes and C
 * @param mean Means of the columns [p]
 * @param weights W and intercepts for columns off their means [p+1, f]
 * @returns Value and gradient [p+1, f]
 */
export function logisticLoss(
  { rows, target, C }: LogisticProblem,
  mean: Float64Array,
  weights: Float64Array,
): Evaluation {
  const p = rows.nCols, free = weights.length / (p + 1);
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

/**
 * Intercepts for columns as they are, from those for columns off their means: b - Wᵀ mean.
 *
 * @param weights W and intercepts [p+1, f]; the intercepts are changed
 * @param mean Means of the columns [p]
 */
export function absorbMean(weights: Float64Array, mean: Float64Array): void {
  const p = mean.length, f = weights.length / (p + 1);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < f; k++) weights[p * f + k]! -= mean[j]! * weights[j * f + k]!;
  }
}

/**
 * z = Wᵀx + b for one row.
 *
 * @param weights W and intercepts [p+1, f]
 * @param columns Columns of the row's stored values
 * @param values Those values
 * @param z Receives the logits [f]
 */
export function linear(
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

/**
 * Turns logits into probabilities in place.
 *
 * @param logits Logits of one row
 * @returns Logarithm of the sum of their exponentials
 */
export function softmax(logits: Float64Array): number {
  let largest = -Infinity, sum = 0;
  for (const logit of logits) largest = Math.max(largest, logit);
  for (let k = 0; k < logits.length; k++) {
    logits[k] = Math.exp(logits[k]! - largest);
    sum += logits[k]!;
  }
  for (let k = 0; k < logits.length; k++) logits[k]! /= sum;
  return largest + Math.log(sum);
}
