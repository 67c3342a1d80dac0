/** How well labels were predicted, in scikit-learn's definitions. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { UNKNOWN } from "../analysis/prediction.ts";

/** Settings of {@linkcode classificationReport} and {@linkcode confusionMatrix}. */
export interface ClassificationOptions {
  /** Classes in the wanted order; by default those of truth and prediction, sorted. */
  readonly labels?: readonly string[];
  /** Label of rejected cells; "unknown" by default. */
  readonly unknown?: string;
}

/** Scores of one class. */
export interface ClassScores {
  /** Class. */
  readonly label: string;
  /** Right among those predicted as the class; 0 when none were. */
  readonly precision: number;
  /** Right among those of the class; 0 when there are none. */
  readonly recall: number;
  /** Harmonic mean of both; 0 when both are. */
  readonly f1: number;
  /** Cells of the class. */
  readonly support: number;
  /** Cells predicted as the class. */
  readonly predicted: number;
}

/** Counts of true against predicted labels. */
export interface ConfusionMatrix {
  /** True classes, one a row. */
  readonly rows: readonly string[];
  /** Predicted classes, one a column; the label of rejected cells comes last when there are some. */
  readonly columns: readonly string[];
  /** Cells [rows, columns]. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Share of the row's cells [rows, columns]; a row without cells is 0. */
  readonly shares: Float64Array<ArrayBuffer>;
}

/** Scores of a prediction. */
export interface ClassificationReport {
  /** Cells. */
  readonly nCells: number;
  /** Right among all cells; a rejected cell is wrong. */
  readonly accuracy: number;
  /** Mean precision over the classes. */
  readonly macroPrecision: number;
  /** Mean recall over the classes. */
  readonly macroRecall: number;
  /** Mean F1 over the classes. */
  readonly macroF1: number;
  /** Share of cells that were not rejected. */
  readonly coverage: number;
  /** Right among the cells that were not rejected; 0 when all were. */
  readonly acceptedAccuracy: number;
  /** Scores by class. */
  readonly perClass: readonly ClassScores[];
  /** True against predicted. */
  readonly confusion: ConfusionMatrix;
}

/**
 * Accuracy, macro precision, recall and F1, and the confusion matrix. Classes are those of truth and prediction together. Rejected cells
 * count as wrong and lower the recall of their class, but "unknown" is no class of its own unless it occurs in the truth.
 *
 * Reference: scikit-learn `precision_recall_fscore_support(zero_division=0)` and `accuracy_score`.
 *
 * @example
 * ```ts
 * import { classificationReport } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const report = classificationReport(["B", "B", "T", "T"], ["B", "T", "T", "unknown"]);
 * assert.equal(report.accuracy, 0.5);
 * assert.equal(report.coverage, 0.75);
 * assert.equal(report.macroPrecision, 0.75);
 * ```
 *
 * @param truth True labels [n]
 * @param predicted Predicted labels [n]
 * @param options Settings
 * @returns Scores
 * @throws {RangeError} When there are no cells, or the lengths differ, or a label is not among `labels`
 */
export function classificationReport(
  truth: readonly string[],
  predicted: readonly string[],
  options: ClassificationOptions = {},
): ClassificationReport {
  const confusion = confusionMatrix(truth, predicted, options);
  const { rows, columns, counts } = confusion;
  const perClass = rows.map((label, row) => scoresOf(confusion, label, row));
  const right = perClass.reduce((sum, _, row) => sum + counts[row * columns.length + row]!, 0);
  const rejected = columns.length === rows.length
    ? 0
    : rows.reduce((sum, _, row) => sum + counts[(row + 1) * columns.length - 1]!, 0);
  const accepted = truth.length - rejected;
  const macro = (score: "precision" | "recall" | "f1"): number =>
    perClass.reduce((sum, scores) => sum + scores[score], 0) / Math.max(perClass.length, 1);
  return {
    nCells: truth.length,
    accuracy: right / truth.length,
    macroPrecision: macro("precision"),
    macroRecall: macro("recall"),
    macroF1: macro("f1"),
    coverage: accepted / truth.length,
    acceptedAccuracy: ratio(right, accepted),
    perClass,
    confusion,
  };
}

/**
 * Counts true against predicted labels.
 *
 * Reference: scikit-learn `confusion_matrix`, with a last column for rejected cells.
 *
 * @param truth True labels [n]
 * @param predicted Predicted labels [n]
 * @param options Settings
 * @returns Counts and shares
 * @throws {RangeError} When there are no cells, or the lengths differ, or a label is not among `labels`
 */
export function confusionMatrix(
  truth: readonly string[],
  predicted: readonly string[],
  options: ClassificationOptions = {},
): ConfusionMatrix {
  refuseUnknownKeys(options, ["labels", "unknown"], "compare labels");
  const { unknown = UNKNOWN } = options;
  if (truth.length === 0 || truth.length !== predicted.length) {
    throw new RangeError(
      `Cannot compare labels as each cell needs a true and a predicted one: got ${truth.length} and ${predicted.length}`,
    );
  }
  const rows = options.labels ?? classesOf(truth, predicted, unknown);
  const columns = predicted.includes(unknown) && !rows.includes(unknown)
    ? [...rows, unknown]
    : rows;
  const place = new Map(columns.map((label, at) => [label, at]));
  const counts = new Uint32Array(rows.length * columns.length);
  truth.forEach((label, cell) => {
    const row = place.get(label), column = place.get(predicted[cell]!);
    if (row === undefined || row >= rows.length || column === undefined) {
      throw new RangeError(
        `Cannot compare labels as each must be one of ${rows.join(", ")}: got "${label}" and "${
          predicted[cell]
        }" for cell ${cell}`,
      );
    }
    counts[row * columns.length + column]! += 1;
  });
  const totals = rows.map((_, row) =>
    sumOf(counts.subarray(row * columns.length, (row + 1) * columns.length))
  );
  const shares = Float64Array.from(
    counts,
    (count, at) => ratio(count, totals[Math.floor(at / columns.length)]!),
  );
  return { rows, columns, counts, shares };
}

function classesOf(
  truth: readonly string[],
  predicted: readonly string[],
  unknown: string,
): string[] {
  const classes = new Set([...truth, ...predicted.filter((label) => label !== unknown)]);
  return [...classes].sort();
}

function scoresOf(
  { rows, columns, counts }: ConfusionMatrix,
  label: string,
  row: number,
): ClassScores {
  const width = columns.length;
  const right = counts[row * width + row]!;
  const support = sumOf(counts.subarray(row * width, (row + 1) * width));
  const predicted = rows.reduce((sum, _, other) => sum + counts[other * width + row]!, 0);
  return {
    label,
    precision: ratio(right, predicted),
    recall: ratio(right, support),
    f1: ratio(2 * right, support + predicted),
    support,
    predicted,
  };
}

function sumOf(values: Uint32Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
