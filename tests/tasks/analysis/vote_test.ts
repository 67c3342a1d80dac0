import assert from "node:assert/strict";
import type { Neighbors } from "../../../tasks/analysis/knn.ts";
import { distanceQuantile, vote } from "../../../tasks/analysis/vote.ts";
import { assertClose, SKLEARN } from "../fixtures.ts";

function neighbors(k: number, indices: number[], distances: number[]): Neighbors {
  return { k, indices: Uint32Array.from(indices), distances: Float32Array.from(distances) };
}

for (const weights of ["uniform", "distance"] as const) {
  Deno.test(`vote() gives scikit-learn's shares with ${weights} weights`, () => {
    const { indices, distances, probabilities } = SKLEARN.knn[weights];
    const near = neighbors(7, indices.flat(), distances.flat());
    const { labels, confidence } = vote(near, SKLEARN.reference.labels, { weights });
    assertClose(confidence, probabilities.map((row) => Math.max(...row)), 1e-6);
    const classes = SKLEARN.logistic.classes;
    probabilities.forEach((row, cell) => {
      const share = row[classes.indexOf(labels[cell]!)]!;
      assert.ok(Math.abs(share - Math.max(...row)) < 1e-6);
    });
  });
}

Deno.test("vote() breaks ties by nearness, then by name", () => {
  const labels = ["b", "a", "a", "b"];
  const nearer = vote(neighbors(4, [0, 1, 2, 3], [1, 2, 3, 3]), labels);
  assert.deepEqual(nearer.labels, ["b"]); // 1 + 3 < 2 + 3
  const equal = vote(neighbors(4, [0, 1, 2, 3], [1, 1, 2, 2]), labels);
  assert.deepEqual(equal.labels, ["a"]);
});

Deno.test("vote() lets only equal cells vote where distances are 0", () => {
  const near = neighbors(3, [0, 1, 2], [0, 0.1, 0.1]);
  const { labels, confidence } = vote(near, ["x", "y", "y"], { weights: "distance" });
  assert.deepEqual([labels, [...confidence]], [["x"], [1]]);
});

Deno.test("vote() rejects doubtful and distant cells", () => {
  const near = neighbors(2, [0, 1, 0, 0, 1, 1], [1, 1, 1, 1, 5, 9]);
  const { labels, confidence } = vote(near, ["x", "y"], { minConfidence: 0.6, maxDistance: 6.9 });
  assert.deepEqual(labels, ["unknown", "x", "unknown"]);
  assert.deepEqual([...confidence], [0.5, 1, 1]);
});

Deno.test("vote() refuses neighbours without a label and odd settings", () => {
  const near = neighbors(1, [3], [1]);
  assert.throws(() => vote(near, ["a"]), /got row 3 of 1 labels/);
  assert.throws(() => vote(near, ["a"], { minConfidence: 2 }), RangeError);
  assert.throws(() => vote(near, ["a"], { maxDistance: -1 }), RangeError);
});

Deno.test("distanceQuantile() is numpy's quantile of the mean distances", () => {
  const near = neighbors(2, [0, 0, 0, 0, 0, 0], [1, 3, 8, 8, 3, 5]);
  assert.equal(distanceQuantile(near, 0.5), 4);
  assert.equal(distanceQuantile(near, 0.75), 6);
  assert.throws(() => distanceQuantile(near, 1.1), RangeError);
});
