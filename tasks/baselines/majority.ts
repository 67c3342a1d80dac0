/** The floor of all comparisons. */
import type { Prediction } from "../analysis/prediction.ts";
import { checkLabels, type LabelledCells, type QueryCells } from "./cells.ts";

/**
 * Gives every cell the reference's most frequent label, the first in code-unit order among equals.
 *
 * @param reference Labelled cells
 * @param query Cells to name
 * @returns The label, with its share of the reference as confidence
 * @throws {RangeError} When a reference cell has no label
 */
export function majorityBaseline(reference: LabelledCells, query: QueryCells): Prediction {
  checkLabels(reference);
  const counts = new Map<string, number>();
  for (const label of reference.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [label, count] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]!;
  const cells = query.X.nRows;
  return {
    labels: new Array<string>(cells).fill(label),
    confidence: new Float32Array(cells).fill(count / reference.labels.length),
  };
}
