/** Several annotators as one: the mean of their class probabilities. */
import { refuseUnknownKeys } from "../lib/mod.ts";
import { type Annotation, bestClasses } from "./annotate.ts";

/** Settings of {@linkcode meanAnnotation}. */
export interface MeanAnnotationOptions {
  /** Cells whose best class has a smaller mean probability become "unknown"; 0 by default. */
  readonly minConfidence?: number;
}

/**
 * Names cells by the mean of the class probabilities that several annotators gave the same cells: a deep ensemble (Lakshminarayanan et al.,
 * NeurIPS 2017). Annotators that differ in their seed alone err on different cells, the more the fewer cells they learned from.
 *
 * @example
 * ```ts
 * import { type Annotation, meanAnnotation } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const annotation = (b: number): Annotation => ({
 *   labels: [b < 0.5 ? "T" : "B"],
 *   confidence: Float32Array.of(Math.max(b, 1 - b)),
 *   classes: ["B", "T"],
 *   probabilities: Float32Array.of(b, 1 - b),
 *   panel: { panel: 1, found: 1, coverage: 1, missingNames: [] },
 * });
 * const { labels, probabilities } = meanAnnotation([annotation(1), annotation(0.375), annotation(0.375)]);
 * assert.deepEqual(labels, ["B"]); // two of three say T, less surely
 * assert.equal(probabilities[1], Math.fround(1.25 / 3));
 * ```
 *
 * @param annotations What `annotate` gave for the same cells, with the same classes in the same order
 * @param options Least confidence
 * @returns Labels and mean probabilities [cells, classes]; `panel` is that of the annotator that found the smallest part of its genes
 * @throws {RangeError} When there is no annotation, they differ in cells or classes, or minConfidence is not in [0, 1]
 */
export function meanAnnotation(
  annotations: readonly Annotation[],
  options: MeanAnnotationOptions = {},
): Annotation {
  refuseUnknownKeys(options, ["minConfidence"], "average annotations");
  const { minConfidence = 0 } = options;
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    fail("minConfidence must be in [0, 1]", minConfidence);
  }
  const [first] = annotations;
  if (first === undefined) return fail("there must be one", "none");
  annotations.forEach((other, at) => checkAlike(first, other, at));
  const { classes } = first;
  const probabilities = Float32Array.from(first.probabilities, (_, i) => {
    const sum = annotations.reduce((total, other) => total + other.probabilities[i]!, 0);
    return sum / annotations.length;
  });
  const panel = annotations.map((one) => one.panel)
    .reduce((least, own) => own.coverage < least.coverage ? own : least);
  return { ...bestClasses(probabilities, classes, minConfidence), classes, probabilities, panel };
}

function checkAlike({ classes, labels }: Annotation, other: Annotation, at: number): void {
  if (other.labels.length !== labels.length) {
    fail(
      `all must be of the same ${labels.length} cells`,
      `${other.labels.length} in number ${at}`,
    );
  }
  if (other.classes.length === classes.length && other.classes.every((c, i) => c === classes[i])) {
    return;
  }
  fail(
    `all must have the classes ${classes.join(", ")}`,
    `${other.classes.join(", ")} in number ${at}`,
  );
}

function fail(rule: string, got: unknown): never {
  throw new RangeError(`Cannot average annotations as ${rule}: got ${got}`);
}
