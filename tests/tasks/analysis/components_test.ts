import assert from "node:assert/strict";
import { connectedComponents } from "../../../tasks/analysis/components.ts";
import { GRAPH, graphOf } from "./expected.ts";

Deno.test("connectedComponents() numbers components by their first cells", () => {
  const { of, count } = connectedComponents(graphOf(6, [[0, 3, 1], [3, 5, 1], [1, 4, 1]]));
  assert.deepEqual([[...of], count], [[0, 1, 2, 0, 1, 0], 3]);
  assert.equal(connectedComponents(GRAPH).count, 1); // as scipy finds
});
