import assert from "node:assert/strict";
import {
  batchesPerLabel,
  cellsByGroup,
  checkLabels,
  groupsOf,
} from "../../../tasks/metrics/groups.ts";

Deno.test("groupsOf() numbers labels in their order as texts", () => {
  const { names, codes, sizes } = groupsOf(["T", "B", "T", "NK"]);
  assert.deepEqual(names, ["B", "NK", "T"]);
  assert.deepEqual([[...codes], [...sizes]], [[2, 0, 2, 1], [1, 1, 2]]);
  assert.deepEqual(groupsOf(Uint32Array.of(10, 9, 10)).names, ["10", "9"]);
});

Deno.test("cellsByGroup() and batchesPerLabel() tell the cells and the batches of each label", () => {
  const labels = groupsOf(["T", "B", "T", "T"]);
  assert.deepEqual(cellsByGroup(labels).map((cells) => [...cells]), [[1], [0, 2, 3]]);
  assert.deepEqual(batchesPerLabel(labels, groupsOf([0, 0, 1, 0])), [1, 2]);
});

Deno.test("checkLabels() refuses other numbers of labels, and no cells", () => {
  checkLabels(["a"], 1, "test");
  assert.throws(() => checkLabels(["a"], 2, "test"), /Cannot test as .* got 1 labels of 2 cells/);
  assert.throws(() => checkLabels([], 0, "test"), RangeError);
});
