import assert from "node:assert/strict";
import { classificationReport, confusionMatrix } from "../../../tasks/metrics/classification.ts";
import { assertClose, SKLEARN } from "../fixtures.ts";

const sklearn = SKLEARN.classification;

Deno.test("classificationReport() gives scikit-learn's scores", () => {
  const report = classificationReport(sklearn.truth, sklearn.predicted);
  assertClose([report.accuracy], [sklearn.accuracy], 1e-8);
  assertClose([report.macroPrecision, report.macroRecall, report.macroF1], sklearn.macro, 1e-8);
  assert.deepEqual(report.perClass.map(({ label }) => label), sklearn.labels);
  assertClose(report.perClass.map(({ precision }) => precision), sklearn.precision, 1e-8);
  assertClose(report.perClass.map(({ recall }) => recall), sklearn.recall, 1e-8);
  assertClose(report.perClass.map(({ f1 }) => f1), sklearn.f1, 1e-8);
  assert.deepEqual(report.perClass.map(({ support }) => support), sklearn.support);
  assert.deepEqual([...report.confusion.counts], sklearn.confusion.flat());
  assert.equal(report.coverage, 1);
});

Deno.test("classificationReport() counts rejected cells as wrong, and apart", () => {
  const truth = ["B", "B", "T", "T"], predicted = ["B", "unknown", "T", "B"];
  const report = classificationReport(truth, predicted);
  assert.equal(report.accuracy, 0.5);
  assert.equal(report.coverage, 0.75);
  assert.equal(report.acceptedAccuracy, 2 / 3);
  assert.deepEqual(report.perClass.map(({ label }) => label), ["B", "T"]);
  assert.deepEqual(report.confusion.columns, ["B", "T", "unknown"]);
  assert.deepEqual([...report.confusion.counts], [1, 0, 1, 1, 1, 0]);
  const none = classificationReport(["B"], ["?"], { unknown: "?" });
  assert.deepEqual([none.coverage, none.acceptedAccuracy, none.macroF1], [0, 0, 0]);
});

Deno.test("confusionMatrix() keeps the given order and normalises rows", () => {
  const { rows, shares } = confusionMatrix(["a", "b", "b", "b"], ["b", "b", "b", "a"], {
    labels: ["c", "b", "a"],
  });
  assert.deepEqual(rows, ["c", "b", "a"]);
  assertClose(shares, [0, 0, 0, 0, 2 / 3, 1 / 3, 0, 1, 0], 1e-15);
});

Deno.test("confusionMatrix() refuses labels and lengths that do not fit", () => {
  assert.throws(() => confusionMatrix([], []), RangeError);
  assert.throws(() => confusionMatrix(["a"], ["a", "b"]), /got 1 and 2/);
  assert.throws(
    () => confusionMatrix(["a"], ["b"], { labels: ["a"] }),
    /got "a" and "b" for cell 0/,
  );
});
