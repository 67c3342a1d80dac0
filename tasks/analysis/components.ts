/** Connected parts of a graph. */
import type { WeightedGraph } from "./neighbors.ts";

/** Connected components, numbered in the order of their first cells. */
export interface Components {
  /** Component of each cell [n]. */
  readonly of: Uint32Array<ArrayBuffer>;
  /** Number of components. */
  readonly count: number;
}

/**
 * Finds which cells can be reached from each other.
 *
 * Reference: scipy `sparse.csgraph.connected_components`.
 *
 * @example
 * ```ts
 * import { connectedComponents } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const graph = { n: 3, indptr: new Uint32Array([0, 1, 1, 2]), indices: new Uint32Array([2, 0]) };
 * assert.deepEqual(connectedComponents(graph), { of: new Uint32Array([0, 1, 0]), count: 2 });
 * ```
 *
 * @param graph Symmetric graph of n cells
 * @returns Component of each cell
 */
export function connectedComponents(
  { n, indptr, indices }: Pick<WeightedGraph, "n" | "indptr" | "indices">,
): Components {
  const UNSEEN = n;
  const of = new Uint32Array(n).fill(UNSEEN);
  const reached = new Uint32Array(n);
  let count = 0;
  for (let first = 0; first < n; first++) {
    if (of[first] !== UNSEEN) continue;
    of[first] = count;
    reached[0] = first;
    for (let left = 1; left > 0;) {
      const cell = reached[--left]!;
      for (let at = indptr[cell]!; at < indptr[cell + 1]!; at++) {
        const other = indices[at]!;
        if (of[other] !== UNSEEN) continue;
        of[other] = count;
        reached[left++] = other;
      }
    }
    count++;
  }
  return { of, count };
}
