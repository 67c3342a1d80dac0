/** How far two groupings of the same cells agree. */
import { checkLabels, type Groups, groupsOf, type Labels } from "./groups.ts";

/** Cells by pair of groups; only pairs that occur. */
interface Contingency {
  readonly n: number;
  readonly a: Groups;
  readonly b: Groups;
  /** Group of a, group of b, cells. */
  readonly pairs: readonly (readonly [number, number, number])[];
}

/**
 * Mutual information of two groupings over the arithmetic mean of their entropies: 1 when they are the same, 0 when independent.
 *
 * Reference: scib 1.1.7 `metrics.nmi`, scikit-learn `normalized_mutual_info_score(average_method="arithmetic")`.
 *
 * @example
 * ```ts
 * import { normalizedMutualInfo } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * assert.equal(normalizedMutualInfo(["B", "B", "T", "T"], [1, 1, 0, 0]), 1);
 * assert.equal(normalizedMutualInfo(["B", "B", "T", "T"], [0, 1, 0, 1]), 0);
 * ```
 *
 * @param labels Labels [n]
 * @param clusters Another grouping of the same cells [n]
 * @returns Score in 0..1; 1 when both are one group
 * @throws {RangeError} When there are no cells or the lengths differ
 */
export function normalizedMutualInfo(labels: Labels, clusters: Labels): number {
  const { n, a, b, pairs } = contingency(labels, clusters);
  if (a.names.length === 1 && b.names.length === 1) return 1;
  let information = 0;
  for (const [i, j, cells] of pairs) {
    information += cells / n * Math.log(cells * n / (a.sizes[i]! * b.sizes[j]!));
  }
  const mean = (entropy(a.sizes, n) + entropy(b.sizes, n)) / 2;
  return information < 1e-15 ? 0 : Math.min(information / mean, 1);
}

/**
 * Pairs of cells on which two groupings agree, adjusted for chance: 1 when they are the same, 0 on average for random ones.
 *
 * Reference: scib 1.1.7 `metrics.ari`, scikit-learn `adjusted_rand_score`. Where both are one group, or both single cells, scib's own formula
 * is 0/0; this gives scikit-learn's 1.
 *
 * @example
 * ```ts
 * import { adjustedRandIndex } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * assert.equal(adjustedRandIndex(["B", "B", "T", "T"], [1, 1, 0, 0]), 1);
 * assert.ok(adjustedRandIndex(["B", "B", "T", "T"], [0, 1, 0, 1]) < 0);
 * ```
 *
 * @param labels Labels [n]
 * @param clusters Another grouping of the same cells [n]
 * @returns Score, at most 1
 * @throws {RangeError} When there are no cells or the lengths differ
 */
export function adjustedRandIndex(labels: Labels, clusters: Labels): number {
  const { n, a, b, pairs } = contingency(labels, clusters);
  const together = pairs.reduce((sum, [, , cells]) => sum + choose2(cells), 0);
  const inA = a.sizes.reduce((sum, size) => sum + choose2(size), 0);
  const inB = b.sizes.reduce((sum, size) => sum + choose2(size), 0);
  if (together === inA && together === inB) return 1;
  const expected = inA * inB / choose2(n);
  return (together - expected) / ((inA + inB) / 2 - expected);
}

function contingency(labels: Labels, clusters: Labels): Contingency {
  checkLabels(labels, clusters.length, "compare groupings");
  const a = groupsOf(labels), b = groupsOf(clusters);
  const counts = new Map<number, number>();
  a.codes.forEach((code, cell) => {
    const pair = code * b.names.length + b.codes[cell]!;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  });
  const pairs = [...counts].map(([pair, cells]) =>
    [Math.floor(pair / b.names.length), pair % b.names.length, cells] as const
  );
  return { n: labels.length, a, b, pairs };
}

/** In nats. */
function entropy(sizes: Uint32Array, n: number): number {
  return sizes.reduce((sum, size) => sum - size / n * Math.log(size / n), 0);
}

function choose2(n: number): number {
  return n * (n - 1) / 2;
}
