import assert from "node:assert/strict";
import fc from "fast-check";
import { openWasmDevice, RandomStream } from "../../../gpu/mod.ts";
import { fuzzyGraph, neighbors } from "../../../tasks/analysis/neighbors.ts";
import { assertClose } from "../fixtures.ts";
import { EXPECTED, GRAPH, KNN, ROWS } from "./expected.ts";

Deno.test("neighbors() gives scikit-learn's neighbours and umap-learn's connectivities", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const { liveBuffers } = device.memory;
  const graph = await neighbors(device, ROWS, { nDims: 10 });
  assert.equal(graph.n, 90);
  assert.deepEqual([...graph.knn.indices], EXPECTED.knn.indices);
  assert.deepEqual([...graph.indices], EXPECTED.graph.indices);
  assertClose(graph.connectivities, EXPECTED.graph.connectivities, 1e-5);
  assert.equal(device.memory.liveBuffers, liveBuffers);
});

Deno.test("fuzzyGraph() gives umap-learn's connectivities of the same neighbours", () => {
  const graph = fuzzyGraph(KNN);
  assert.deepEqual(graph.indptr, GRAPH.indptr);
  assert.deepEqual(graph.indices, GRAPH.indices);
  assertClose(graph.connectivities, GRAPH.connectivities, 1e-6);
});

Deno.test("fuzzyGraph() is symmetric, sorted, without loops, with weights in 0..1", () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 30 }), fc.nat(1e6), (n, seed) => {
      const random = new RandomStream(seed, 1), k = 3;
      const steps = Array.from({ length: n }, () => 1 + random.below(Math.floor((n - 1) / 2)));
      const near = steps.map((step, cell) => [cell, (cell + step) % n, (cell + 2 * step) % n]);
      const indices = Uint32Array.from(near.flat());
      const distances = Float32Array.from(steps.flatMap((step) => [0, step, 2 * step]));
      const graph = fuzzyGraph({ k, indices, distances });
      const weight = new Map<string, number>();
      for (let cell = 0; cell < n; cell++) {
        for (let at = graph.indptr[cell]!; at < graph.indptr[cell + 1]!; at++) {
          const other = graph.indices[at]!, value = graph.connectivities[at]!;
          assert.ok(other !== cell && value > 0 && value <= 1);
          if (at > graph.indptr[cell]!) assert.ok(graph.indices[at - 1]! < other);
          weight.set(`${cell} ${other}`, value);
        }
      }
      for (const [edge, value] of weight) {
        assert.equal(weight.get(edge.split(" ").reverse().join(" ")), value);
      }
    }),
  );
});

Deno.test("neighbors() puts a cell first among more equal cells than it has neighbours", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const rows = new Float32Array([1, 1, 1, 1, 1, 7]);
  const { knn, indptr, indices } = await neighbors(device, rows, { nDims: 1, nNeighbors: 3 });
  for (let cell = 0; cell < 6; cell++) assert.equal(knn.indices[cell * 3], cell);
  assert.deepEqual([...knn.indices.slice(12, 15)], [4, 0, 1]);
  assert.deepEqual([...indices.slice(indptr[5], indptr[6])], [0, 1]);
});

Deno.test("neighbors() refuses odd settings and stops on a signal", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const find = (options: object) => neighbors(device, ROWS, { nDims: 10, ...options });
  await assert.rejects(find({ nNeighbors: 91 }), /in 2\.\.90 cells: got 91/);
  await assert.rejects(find({ nNeighbors: 1 }), RangeError);
  await assert.rejects(find({ nneighbors: 15 }), /"nNeighbors"/);
  await assert.rejects(find({ signal: AbortSignal.abort() }), { name: "AbortError" });
});
