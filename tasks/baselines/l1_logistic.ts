/** Logistic regression with an L1 penalty, by coordinate descent over the columns that matter. */
import { forEachRow, type Rows } from "../analysis/rows.ts";
import { turns } from "../analysis/turns.ts";
import type { MinimizeOptions, Minimum } from "./lbfgs.ts";
import type { LogisticProblem } from "./logistic_loss.ts";

/** Values by column. */
interface Columns {
  readonly starts: Uint32Array; // [p+1]
  readonly rows: Uint32Array;
  readonly values: Float64Array;
}

/** Where the search is. */
interface State {
  readonly columns: Columns;
  readonly target: Uint32Array; // [n]
  readonly logits: Float64Array; // z [n, c]
  readonly logSums: Float64Array; // log Σ exp z [n]
  readonly weights: Float64Array; // [p+1, f]: of the columns, then the intercepts
  readonly nClasses: number; // c
  readonly free: number; // f: classes whose weights move; of two classes the first stays 0
  readonly lambda: number; // 1 / C
}

/** Least p (1-p) of a row, so that rows which are told apart perfectly still have a curvature. */
const LEAST_CURVATURE = 1e-6;

/**
 * Minimises C · Σ cross-entropy + Σ|W| one class after the other: a quadratic model of the class's loss is minimised by coordinate descent
 * over the columns with a weight or a slope, its intercept always at its best, and the step is halved until the loss falls.
 *
 * Reference: Friedman, Hastie and Tibshirani 2010, "Regularization paths for generalized linear models via coordinate descent", section 4.1;
 * Yuan, Ho and Lin 2012 for the line search.
 *
 * @param problem Rows, classes and C
 * @param options When to stop: largest slope of the objective, rounds over the classes
 * @returns Weights [p+1, f], the last row intercepts, and the objective
 * @throws The signal's reason
 */
export async function fitL1Logistic(
  { rows, target, nClasses, C }: LogisticProblem,
  { tolerance, maxSteps, signal }: MinimizeOptions,
): Promise<Minimum> {
  const free = nClasses === 2 ? 1 : nClasses;
  const state: State = {
    columns: columnsOf(rows),
    target,
    logits: new Float64Array(rows.nRows * nClasses),
    logSums: new Float64Array(rows.nRows).fill(Math.log(nClasses)),
    weights: new Float64Array((rows.nCols + 1) * free),
    nClasses,
    free,
    lambda: 1 / C,
  };
  const turn = turns(signal);
  let steps = 0, converged = false;
  for (; steps < maxSteps && !converged; steps++) {
    let largest = 0;
    for (let f = 0; f < free; f++) {
      await turn();
      largest = Math.max(largest, improveClass(state, f, tolerance / C));
    }
    converged = largest <= tolerance / C;
  }
  return { x: state.weights, value: C * objective(state), steps, converged };
}

/** One step for the weights of free class f; returns the largest slope before it. */
function improveClass(state: State, f: number, tolerance: number): number {
  const { columns, weights, free, lambda } = state;
  const p = columns.starts.length - 1;
  const { residual, curvature } = modelOf(state, f);
  let largest = Math.abs(sum(residual));
  const active: number[] = [];
  for (let j = 0; j < p; j++) {
    const slope = columnDot(columns, j, residual); // of the log-likelihood
    const weight = weights[j * free + f]!;
    const excess = weight === 0
      ? Math.max(0, Math.abs(slope) - lambda)
      : Math.abs(slope - lambda * Math.sign(weight));
    largest = Math.max(largest, excess);
    if (weight !== 0 || excess > 0) active.push(j);
  }
  if (largest <= tolerance) return largest;
  const start = Float64Array.from(active, (j) => weights[j * free + f]!);
  const model = { residual, curvature, active, start, accuracy: 0.1 * largest };
  const { end, change } = minimizeModel(state, model);
  const length = stepLength(state, f, { residual, start, end, change });
  active.forEach((j, at) => {
    const weight = start[at]! + length * (end[at]! - start[at]!);
    weights[j * free + f] = length === 1 ? end[at]! : weight;
  });
  weights[p * free + f]! += length * change.intercept;
  addLogits(state, f, change.logits, length);
  return largest;
}

/** y - p and p (1-p) of class f for each row. */
function modelOf(
  { target, logits, logSums, nClasses, free }: State,
  f: number,
): { residual: Float64Array; curvature: Float64Array } {
  const k = nClasses - free + f, n = target.length;
  const residual = new Float64Array(n), curvature = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const p = Math.exp(logits[i * nClasses + k]! - logSums[i]!);
    residual[i] = (target[i] === k ? 1 : 0) - p;
    curvature[i] = Math.max(LEAST_CURVATURE, p * (1 - p));
  }
  return { residual, curvature };
}

/** A step: the change of each row's logit [n], of which `intercept` is common to all. */
interface Change {
  readonly logits: Float64Array;
  readonly intercept: number;
}

/** Minimises Σ (curvature/2 · dz² - residual · dz) + λ Σ|w| over the active weights and the intercept, in sweeps over the columns. */
function minimizeModel(
  { columns, lambda }: State,
  { residual, curvature, active, start, accuracy }: {
    residual: Float64Array;
    curvature: Float64Array;
    active: readonly number[];
    start: Float64Array;
    accuracy: number;
  },
): { end: Float64Array; change: Change } {
  const total = sum(curvature);
  const along = active.map((j) => columnDot(columns, j, curvature)); // Σ h x
  const bends = active.map((j, at) => columnBend(columns, j, curvature) - along[at]! ** 2 / total);
  const left = residual.slice(); // residual - h · (dz without intercept)
  const end = start.slice();
  let intercept = sum(left) / total; // always the best
  for (let sweep = 0, largest = Infinity; sweep < 200 && largest > accuracy; sweep++) {
    largest = 0;
    active.forEach((j, at) => {
      const bend = Math.max(bends[at]!, LEAST_CURVATURE);
      const slope = columnDot(columns, j, left) - intercept * along[at]!;
      const aim = bend * end[at]! + slope;
      const weight = Math.sign(aim) * Math.max(0, Math.abs(aim) - lambda) / bend;
      const moved = weight - end[at]!;
      if (moved === 0) return;
      end[at] = weight;
      for (let stored = columns.starts[j]!; stored < columns.starts[j + 1]!; stored++) {
        const i = columns.rows[stored]!;
        left[i]! -= curvature[i]! * columns.values[stored]! * moved;
      }
      intercept -= moved * along[at]! / total;
      largest = Math.max(largest, Math.abs(moved) * bend);
    });
  }
  const logits = left.map((value, i) => (residual[i]! - value) / curvature[i]! + intercept);
  return { end, change: { logits, intercept } };
}

/** Halves the step until the objective falls by a hundredth of what the slopes promise; 0 when it never does. */
function stepLength(
  { target, logits, logSums, nClasses, free, lambda }: State,
  f: number,
  step: { residual: Float64Array; start: Float64Array; end: Float64Array; change: Change },
): number {
  const { residual, start, end, change } = step;
  const k = nClasses - free + f;
  const penalty = (length: number) =>
    start.reduce((all, w, at) => all + Math.abs(w + length * (end[at]! - w)) - Math.abs(w), 0);
  const promise = lambda * penalty(1) -
    residual.reduce((all, value, i) => all + value * change.logits[i]!, 0);
  const own = new Float64Array(nClasses);
  for (let length = 1; length > 1e-9; length /= 2) {
    let gain = lambda * penalty(length);
    for (let i = 0; i < target.length; i++) {
      const moved = length * change.logits[i]!;
      own.set(logits.subarray(i * nClasses, (i + 1) * nClasses));
      gain -= logSums[i]! + (target[i] === k ? moved : 0);
      own[k]! += moved;
      gain += logSumExp(own, 0, nClasses);
    }
    if (gain <= 0.01 * length * promise) return length;
  }
  return 0;
}

function addLogits(
  { logits, logSums, nClasses, free }: State,
  f: number,
  change: Float64Array,
  length: number,
): void {
  const k = nClasses - free + f;
  for (let i = 0; i < change.length; i++) {
    logits[i * nClasses + k]! += length * change[i]!;
    logSums[i] = logSumExp(logits, i, nClasses);
  }
}

/** Σ cross-entropy + λ Σ|W|. */
function objective(
  { columns, target, logits, logSums, weights, nClasses, free, lambda }: State,
): number {
  const end = (columns.starts.length - 1) * free;
  let value = 0;
  for (let at = 0; at < end; at++) value += lambda * Math.abs(weights[at]!);
  target.forEach((k, i) => {
    value += logSums[i]! - logits[i * nClasses + k]!;
  });
  return value;
}

function logSumExp(logits: Float64Array, row: number, c: number): number {
  const start = row * c;
  let largest = -Infinity, total = 0;
  for (let k = 0; k < c; k++) largest = Math.max(largest, logits[start + k]!);
  for (let k = 0; k < c; k++) total += Math.exp(logits[start + k]! - largest);
  return largest + Math.log(total);
}

function columnsOf(rows: Rows): Columns {
  const starts = new Uint32Array(rows.nCols + 1);
  forEachRow(rows, (_, columns) => {
    for (const j of columns) starts[j + 1]! += 1;
  });
  for (let j = 0; j < rows.nCols; j++) starts[j + 1]! += starts[j]!;
  const next = starts.slice(), stored = starts[rows.nCols]!;
  const columns = { starts, rows: new Uint32Array(stored), values: new Float64Array(stored) };
  forEachRow(rows, (row, own, values) => {
    for (let at = 0; at < own.length; at++) {
      const place = next[own[at]!]!++;
      columns.rows[place] = row;
      columns.values[place] = values[at]!;
    }
  });
  return columns;
}

/** Σ x v over a column's rows. */
function columnDot({ starts, rows, values }: Columns, j: number, v: Float64Array): number {
  let total = 0;
  for (let at = starts[j]!; at < starts[j + 1]!; at++) total += values[at]! * v[rows[at]!]!;
  return total;
}

/** Σ x² v over a column's rows. */
function columnBend({ starts, rows, values }: Columns, j: number, v: Float64Array): number {
  let total = 0;
  for (let at = starts[j]!; at < starts[j + 1]!; at++) total += values[at]! ** 2 * v[rows[at]!]!;
  return total;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
