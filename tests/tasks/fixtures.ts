/** Simulated cells and scikit-learn's numbers for them, from tests/fixtures/tasks/make.py. */
import assert from "node:assert/strict";
import type { DenseRows, SparseRows } from "../../tasks/analysis/rows.ts";
import { logNormalize } from "../../tasks/analysis/log_normalize.ts";

type Table = number[][];

interface Logistic {
  classes: string[];
  coefficients: Table;
  intercepts: number[];
  probabilities: Table;
}

interface Knn {
  probabilities: Table;
  distances: Table;
  indices: Table;
}

/** What the file holds. */
export interface Reference {
  reference: { counts: Table; labels: string[] };
  query: { counts: Table; labels: string[] };
  logNormalized: Table;
  pca: {
    explainedVariance: number[];
    explainedVarianceRatio: number[];
    scores: Table;
    queryScores: Table;
  };
  logistic: Logistic;
  binary: Logistic;
  knn: { uniform: Knn; distance: Knn };
  classification: {
    truth: string[];
    predicted: string[];
    labels: string[];
    accuracy: number;
    precision: number[];
    recall: number[];
    f1: number[];
    support: number[];
    macro: [number, number, number];
    confusion: Table;
  };
}

/** The file. */
export const SKLEARN: Reference = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/tasks/reference.json", import.meta.url)),
);

/** Dense rows of a table. */
export function dense(table: Table): DenseRows {
  return {
    nRows: table.length,
    nCols: table[0]!.length,
    data: Float32Array.from(table.flat()),
  };
}

/** Sparse rows of a table, zeros left out. */
export function sparse(table: Table): SparseRows {
  const indptr = [0], indices: number[] = [], data: number[] = [];
  for (const row of table) {
    row.forEach((value, column) => {
      if (value === 0) return;
      indices.push(column);
      data.push(value);
    });
    indptr.push(data.length);
  }
  return {
    nRows: table.length,
    nCols: table[0]!.length,
    indptr: Uint32Array.from(indptr),
    indices: Uint32Array.from(indices),
    data: Float32Array.from(data),
  };
}

/** The simulated cells. */
export const REFERENCE_COUNTS: SparseRows = sparse(SKLEARN.reference.counts);
export const QUERY_COUNTS: SparseRows = sparse(SKLEARN.query.counts);
/** The same, log-normalised. */
export const REFERENCE_LOG: SparseRows = logNormalize(REFERENCE_COUNTS);
export const QUERY_LOG: SparseRows = logNormalize(QUERY_COUNTS);

/** Asserts that no element differs by more than `tolerance`. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length);
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs(actual[at]! - expected[at]!);
    assert.ok(error <= tolerance, `element ${at}: ${actual[at]} is not ${expected[at]}`);
  }
}
