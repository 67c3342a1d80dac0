/** The simulated cells as a baseline takes them; the query's genes are in reverse order. */
import type { LabelledCells } from "../../../tasks/baselines/cells.ts";
import { REFERENCE_COUNTS, SKLEARN, sparse } from "../fixtures.ts";

const names = Array.from({ length: REFERENCE_COUNTS.nCols }, (_, gene) => `G${gene}`);

/** Labelled counts. */
export const REFERENCE: LabelledCells = {
  X: REFERENCE_COUNTS,
  varNames: names,
  labels: SKLEARN.reference.labels,
};

/** Counts with their true labels. */
export const QUERY: LabelledCells = {
  X: sparse(SKLEARN.query.counts.map((row) => row.toReversed())),
  varNames: names.toReversed(),
  labels: SKLEARN.query.labels,
};
