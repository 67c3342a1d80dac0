/** Whether cells of a label hang together in the graph of neighbours. */
import type { Neighbors } from "../analysis/knn.ts";
import { type CellEdges, componentSizes, neighborEdges, strongComponents } from "./components.ts";
import { cellsByGroup, checkLabels, groupsOf, type Labels } from "./groups.ts";

/**
 * Graph connectivity: the mean over labels of the share of the label's cells in the largest connected component of their subgraph.
 *
 * Reference: scib 1.1.7 `metrics.graph_connectivity`, given the connectivities of `neighbors` (15 neighbours); scib-metrics 0.5.10
 * `graph_connectivity`, given the directed neighbours themselves, whose strong components are smaller.
 *
 * @example
 * ```ts
 * import { graphConnectivity } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const knn = {
 *   k: 2,
 *   indices: new Uint32Array([0, 1, 1, 0, 2, 3, 3, 2]), // 0 - 1 and 2 - 3
 *   distances: new Float32Array(8),
 * };
 * assert.equal(graphConnectivity(knn, ["B", "B", "T", "T"]), 1);
 * assert.equal(graphConnectivity(knn, ["T", "T", "T", "T"]), 0.5);
 * ```
 *
 * @param graph A symmetric graph, or the neighbours of n cells among themselves
 * @param labels Label of each cell [n]
 * @returns Score in 0..1
 * @throws {RangeError} When the number of labels is another
 */
export function graphConnectivity(graph: CellEdges | Neighbors, labels: Labels): number {
  const edges = "indptr" in graph ? graph : neighborEdges(graph);
  checkLabels(labels, edges.indptr.length - 1, "compute the graph connectivity");
  const shares = cellsByGroup(groupsOf(labels)).map((cells) =>
    Math.max(...componentSizes(strongComponents(edges, cells))) / cells.length
  );
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
