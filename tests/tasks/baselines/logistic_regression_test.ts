import assert from "node:assert/strict";
import {
  classProbabilities,
  fitLogisticRegression,
  logisticRegressionBaseline,
} from "../../../tasks/baselines/logistic_regression.ts";
import { classificationReport } from "../../../tasks/metrics/classification.ts";
import { assertClose, dense, QUERY_LOG, REFERENCE_LOG, SKLEARN } from "../fixtures.ts";
import { QUERY, REFERENCE } from "./cells.ts";

/** Slopes that leave the coefficients right to five digits. */
const EXACT = { tolerance: 1e-5 };

Deno.test("fitLogisticRegression() finds scikit-learn's optimum", async () => {
  const model = await fitLogisticRegression(REFERENCE_LOG, SKLEARN.reference.labels, EXACT);
  const wanted = SKLEARN.logistic;
  assert.ok(model.converged);
  assert.deepEqual(model.classes, wanted.classes);
  assertClose(model.coefficients, wanted.coefficients.flat(), 1e-5);
  assertClose(model.intercepts, wanted.intercepts, 1e-4);
  assertClose(classProbabilities(model, QUERY_LOG), wanted.probabilities.flat(), 1e-5);
});

Deno.test("fitLogisticRegression() has one row of weights for two classes", async () => {
  const labels = SKLEARN.reference.labels.map((label) => label === "B" ? "B" : "other");
  const model = await fitLogisticRegression(REFERENCE_LOG, labels, EXACT);
  const wanted = SKLEARN.binary;
  assertClose(model.coefficients.subarray(0, 40), new Float64Array(40), 0);
  assertClose(model.coefficients.subarray(40), wanted.coefficients.flat(), 1e-5);
  assertClose(classProbabilities(model, QUERY_LOG), wanted.probabilities.flat(), 1e-5);
});

Deno.test("fitLogisticRegression() says when it has not converged, and refuses odd input", async () => {
  const labels = SKLEARN.reference.labels;
  const fit = (options: object) => fitLogisticRegression(REFERENCE_LOG, labels, options);
  for (const penalty of ["l1", "l2"]) {
    assert.equal((await fit({ penalty, maxSteps: 2 })).converged, false);
  }
  await assert.rejects(fit({ C: 0 }), /C must be > 0: got 0/);
  await assert.rejects(fit({ penalty: "none" }), /"l1" or "l2": got "none"/);
  await assert.rejects(fit({ penalti: "l1" }), /did you mean "penalty"/);
  await assert.rejects(fit({ penalty: "l1", signal: AbortSignal.abort() }), { name: "AbortError" });
  for (const penalty of ["l1", "l2"]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")));
    const endless = { penalty, tolerance: 1e-300, maxSteps: 1e9, signal: controller.signal };
    await assert.rejects(fit(endless), /enough/);
  }
  await assert.rejects(
    fitLogisticRegression(dense([[1], [2]]), ["a", "a"]),
    /2 labels of 1 classes/,
  );
});

interface L1Case {
  C: number;
  labels: string[];
  coefficients: number[];
  objective: number;
  probabilities: number[];
}

const { cases }: { cases: L1Case[] } = JSON.parse(
  await Deno.readTextFile(
    new URL("../../fixtures/tasks/baselines/logistic_l1.json", import.meta.url),
  ),
);

for (const { C, labels, ...wanted } of cases) {
  const nClasses = new Set(labels).size;
  const name =
    `fitLogisticRegression() finds scikit-learn's L1 optimum of ${nClasses} classes, C ${C}`;

  Deno.test(name, async () => {
    const settings = { penalty: "l1", C, tolerance: 1e-6, maxSteps: 10_000 } as const;
    const model = await fitLogisticRegression(REFERENCE_LOG, labels, settings);
    assert.ok(model.converged);
    assertClose([model.objective / wanted.objective], [1], 1e-7);
    assertClose(classProbabilities(model, QUERY_LOG), wanted.probabilities, 1e-4);
    const own = model.coefficients.slice(-wanted.coefficients.length);
    assertClose(contrasts(own, nClasses), contrasts(wanted.coefficients, nClasses), 1e-4);
    assert.ok(own.filter((weight) => weight === 0).length > own.length / 2);
  });
}

/** Weights less their mean over the classes: with an even number of classes L1 leaves the mean free. */
function contrasts(weights: ArrayLike<number>, nClasses: number): number[] {
  const all = Array.from(weights), p = all.length / nClasses;
  if (nClasses === 2) return all;
  return all.map((weight, at) => {
    const column = all.filter((_, other) => other % p === at % p);
    return weight - column.reduce((sum, value) => sum + value, 0) / nClasses;
  });
}

Deno.test("logisticRegressionBaseline() names the query", async () => {
  const { labels, confidence } = await logisticRegressionBaseline(REFERENCE, QUERY, EXACT);
  const { classes, probabilities } = SKLEARN.logistic;
  const best = probabilities.map((row) => row.indexOf(Math.max(...row)));
  assert.deepEqual(labels, best.map((at) => classes[at]));
  assertClose(confidence, probabilities.map((row) => Math.max(...row)), 1e-4);
  assert.ok(classificationReport(SKLEARN.query.labels, labels).accuracy > 0.9);
});
