import assert from "node:assert/strict";
import fc from "fast-check";
import { connectedComponents } from "../../../tasks/analysis/components.ts";
import { leiden, modularity } from "../../../tasks/analysis/leiden.ts";
import type { WeightedGraph } from "../../../tasks/analysis/neighbors.ts";
import { adjustedRand, EXPECTED, GRAPH, graphOf } from "./expected.ts";

const graphs = fc.integer({ min: 2, max: 14 }).chain((n) =>
  fc.uniqueArray(
    fc.tuple(fc.nat(n - 1), fc.nat(n - 1), fc.integer({ min: 1, max: 8 })),
    { selector: ([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`, maxLength: 40 },
  ).map((edges) => graphOf(n, edges.filter(([a, b]) => a !== b).map(([a, b, w]) => [a, b, w / 8])))
);

Deno.test("modularity() is igraph's", () => {
  for (const [resolution, { modularity: wanted, clusters }] of Object.entries(EXPECTED.leiden)) {
    const found = modularity(GRAPH, Uint32Array.from(clusters), Number(resolution));
    assert.ok(Math.abs(found - wanted) < 1e-6, `${found} at ${resolution}`);
  }
  assert.equal(modularity(graphOf(2, []), new Uint32Array(2)), 0);
});

for (const resolution of [0.5, 1, 2]) {
  Deno.test(`leiden() finds as good clusters as leidenalg's best of 20 at resolution ${resolution}`, async () => {
    const { modularity: wanted, clusters } = EXPECTED.leiden[resolution]!;
    const found = await leiden(GRAPH, { resolution });
    assert.ok(modularity(GRAPH, found, resolution) > wanted - 1e-3);
    assert.ok(adjustedRand(found, clusters) > 0.9);
  });
}

Deno.test("leiden() depends on the seed only, and numbers clusters by falling size", async () => {
  const first = await leiden(GRAPH, { resolution: 2, seed: 5 });
  assert.deepEqual(await leiden(GRAPH, { resolution: 2, seed: 5 }), first);
  const sizes = Array.from({ length: Math.max(...first) + 1 }, () => 0);
  for (const cluster of first) sizes[cluster]! += 1;
  assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a));
  assert.ok(sizes.at(-1)! > 0);
});

Deno.test("leiden() gives connected clusters that no single cell would gain from leaving", async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.constantFrom(0.5, 1, 3), async (graph, resolution) => {
      const clusters = await leiden(graph, { resolution });
      const quality = modularity(graph, clusters, resolution);
      const inside = connectedComponents(insideOf(graph, clusters)).count;
      assert.equal(inside, new Set(clusters).size);
      for (let cell = 0; cell < graph.n; cell++) {
        for (const other of new Set([...clusters, graph.n])) {
          const moved = clusters.with(cell, other);
          assert.ok(modularity(graph, moved, resolution) <= quality + 1e-9);
        }
      }
    }),
  );
});

/** The edges that stay in their cluster. */
function insideOf(graph: WeightedGraph, clusters: Uint32Array): WeightedGraph {
  const edges: [number, number, number][] = [];
  for (let cell = 0; cell < graph.n; cell++) {
    for (let at = graph.indptr[cell]!; at < graph.indptr[cell + 1]!; at++) {
      const other = graph.indices[at]!;
      if (other > cell && clusters[other] === clusters[cell]) edges.push([cell, other, 1]);
    }
  }
  return graphOf(graph.n, edges);
}

Deno.test("leiden() leaves cells without edges alone", async () => {
  assert.deepEqual([...await leiden(graphOf(3, []))], [0, 1, 2]);
  assert.deepEqual([...await leiden(graphOf(3, [[1, 2, 0.5]]))], [1, 0, 0]);
});

Deno.test("leiden() refuses odd settings and stops on a signal", async () => {
  await assert.rejects(leiden(GRAPH, { resolution: -1 }), /must be >= 0: got -1/);
  await assert.rejects(leiden(graphOf(2, [[0, 1, -1]])), /got -1 between cells 0 and 1/);
  assert.throws(() => modularity(GRAPH, new Uint32Array(3)), /each of 90 cells: got 3/);
  await assert.rejects(leiden(GRAPH, { nIterations: 0 }), /positive integer: got 0/);
  await assert.rejects(leiden(GRAPH, { iterations: 2 } as object), /"nIterations"/);
  await assert.rejects(leiden(GRAPH, { signal: AbortSignal.abort() }), { name: "AbortError" });
});
