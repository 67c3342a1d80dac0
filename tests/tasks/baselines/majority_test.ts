import assert from "node:assert/strict";
import { majorityBaseline } from "../../../tasks/baselines/majority.ts";
import { sparse } from "../fixtures.ts";

Deno.test("majorityBaseline() gives the most frequent label, the first by name among equals", () => {
  const X = sparse([[1], [1], [1], [1], [1]]), varNames = ["G"];
  const query = { X: sparse([[1], [2]]), varNames };
  const labels = ["T", "B", "NK", "T", "B"];
  const prediction = majorityBaseline({ X, varNames, labels }, query);
  assert.deepEqual(prediction.labels, ["B", "B"]);
  assert.deepEqual(prediction.confidence, new Float32Array([0.4, 0.4]));
  assert.throws(() => majorityBaseline({ X, varNames, labels: [] }, query), RangeError);
});
