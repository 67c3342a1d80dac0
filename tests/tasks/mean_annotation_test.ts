import assert from "node:assert/strict";
import type { Annotation } from "../../tasks/annotate.ts";
import { meanAnnotation } from "../../tasks/mean_annotation.ts";

const CLASSES = ["A", "B", "C"];

function annotation(
  probabilities: readonly number[],
  change: Partial<Annotation> = {},
): Annotation {
  const cells = probabilities.length / CLASSES.length;
  return {
    labels: Array(cells).fill("A"), // not read: labels follow from the mean
    confidence: new Float32Array(cells),
    classes: CLASSES,
    probabilities: Float32Array.from(probabilities),
    panel: { panel: 4, found: 4, coverage: 1, missingNames: [] },
    ...change,
  };
}

Deno.test("meanAnnotation() names cells by the mean of the probabilities, not by votes", () => {
  const surely = annotation([1, 0, 0, 0.25, 0.25, 0.5]);
  const rather = [0.25, 0.5, 0.25, 0.25, 0.25, 0.5];
  const mean = meanAnnotation([surely, annotation(rather), annotation(rather)]);
  assert.deepEqual(mean.labels, ["A", "C"]);
  const expected = [0.5, 1 / 3, 1 / 6, 0.25, 0.25, 0.5].map(Math.fround);
  assert.deepEqual([...mean.probabilities], expected);
  assert.deepEqual([...mean.confidence], [0.5, 0.5]);
  assert.deepEqual(mean.classes, CLASSES);
});

Deno.test("meanAnnotation() of one annotation keeps its probabilities, and rejects unsure cells", () => {
  const one = annotation([0.75, 0.25, 0, 0.5, 0.25, 0.25]);
  assert.deepEqual(meanAnnotation([one]).probabilities, one.probabilities);
  assert.deepEqual(meanAnnotation([one], { minConfidence: 0.6 }).labels, ["A", "unknown"]);
});

Deno.test("meanAnnotation() tells of the smallest part of genes found", () => {
  const part = { panel: 4, found: 2, coverage: 0.5, missingNames: ["CD4", "LYZ"] };
  const two = [annotation([1, 0, 0]), annotation([1, 0, 0], { panel: part })];
  assert.deepEqual(meanAnnotation(two).panel, part);
});

Deno.test("meanAnnotation() refuses annotations that do not belong together", () => {
  const one = annotation([1, 0, 0]);
  const fails = (all: Annotation[], message: RegExp, options = {}) =>
    assert.throws(() => meanAnnotation(all, options), { message });
  fails([], /Cannot average annotations as there must be one: got none/);
  fails(
    [one, annotation([1, 0, 0, 1, 0, 0])],
    /all must be of the same 1 cells: got 2 in number 1/,
  );
  const turned = annotation([1, 0, 0], { classes: ["B", "A", "C"] });
  fails([one, turned], /all must have the classes A, B, C: got B, A, C in number 1/);
  fails([one], /minConfidence must be in \[0, 1\]: got 2/, { minConfidence: 2 });
  fails([one], /option "minimum" is not known/, { minimum: 1 });
});
