import assert from "node:assert/strict";
import {
  classProbabilities,
  fitLogisticRegression,
  logisticRegressionBaseline,
} from "../../../tasks/baselines/logistic_regression.ts";
import { classificationReport } from "../../../tasks/metrics/classification.ts";
import { assertClose, dense, QUERY_LOG, REFERENCE_LOG, SKLEARN } from "../fixtures.ts";
import { QUERY, REFERENCE } from "./cells.ts";

Deno.test("fitLogisticRegression() finds scikit-learn's optimum", () => {
  const model = fitLogisticRegression(REFERENCE_LOG, SKLEARN.reference.labels);
  const wanted = SKLEARN.logistic;
  assert.ok(model.converged);
  assert.deepEqual(model.classes, wanted.classes);
  assertClose(model.coefficients, wanted.coefficients.flat(), 1e-5);
  assertClose(model.intercepts, wanted.intercepts, 1e-4);
  assertClose(classProbabilities(model, QUERY_LOG), wanted.probabilities.flat(), 1e-5);
});

Deno.test("fitLogisticRegression() has one row of weights for two classes", () => {
  const labels = SKLEARN.reference.labels.map((label) => label === "B" ? "B" : "other");
  const model = fitLogisticRegression(REFERENCE_LOG, labels);
  const wanted = SKLEARN.binary;
  assertClose(model.coefficients.subarray(0, 40), new Float64Array(40), 0);
  assertClose(model.coefficients.subarray(40), wanted.coefficients.flat(), 1e-5);
  assertClose(classProbabilities(model, QUERY_LOG), wanted.probabilities.flat(), 1e-5);
});

Deno.test("fitLogisticRegression() says when it has not converged, and refuses odd input", () => {
  const labels = SKLEARN.reference.labels;
  assert.equal(fitLogisticRegression(REFERENCE_LOG, labels, { maxSteps: 2 }).converged, false);
  assert.throws(() => fitLogisticRegression(REFERENCE_LOG, labels, { C: 0 }), /C must be > 0/);
  assert.throws(
    () => fitLogisticRegression(dense([[1], [2]]), ["a", "a"]),
    /2 labels of 1 classes/,
  );
});

Deno.test("logisticRegressionBaseline() names the query", () => {
  const { labels, confidence } = logisticRegressionBaseline(REFERENCE, QUERY);
  const { classes, probabilities } = SKLEARN.logistic;
  const best = probabilities.map((row) => row.indexOf(Math.max(...row)));
  assert.deepEqual(labels, best.map((at) => classes[at]));
  assertClose(confidence, probabilities.map((row) => Math.max(...row)), 1e-4);
  assert.ok(classificationReport(SKLEARN.query.labels, labels).accuracy > 0.9);
});
