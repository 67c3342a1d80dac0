import assert from "node:assert/strict";
import { fuzzyGraph } from "../../../tasks/analysis/neighbors.ts";
import { graphConnectivity } from "../../../tasks/metrics/graph_connectivity.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, exactNeighbors, LABELS, SCIB, SCIB_METRICS } from "./cells.ts";

Deno.test("graphConnectivity() gives scib's score on connectivities and scib-metrics' on neighbours", () => {
  const knn = exactNeighbors(AFTER, 15);
  assertClose([graphConnectivity(fuzzyGraph(knn), LABELS)], [SCIB.graph_connectivity], 1e-8);
  assertClose([graphConnectivity(knn, LABELS)], [SCIB_METRICS.graph_connectivity], 1e-8);
});

Deno.test("graphConnectivity() refuses labels of other cells", () => {
  assert.throws(
    () => graphConnectivity(exactNeighbors(AFTER, 2), ["B"]),
    /got 1 labels of 400 cells/,
  );
});
