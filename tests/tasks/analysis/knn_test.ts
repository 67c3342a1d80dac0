import assert from "node:assert/strict";
import { type Device, openWasmDevice, RandomStream } from "../../../gpu/mod.ts";
import { nearestNeighbors } from "../../../tasks/analysis/knn.ts";
import { assertClose, SKLEARN } from "../fixtures.ts";

/** Random points on a coarse grid, so that equal distances and equal points occur. */
function grid(n: number, nDims: number, seed: number): Float32Array {
  const random = new RandomStream(seed, 1);
  return Float32Array.from({ length: n * nDims }, () => random.below(4) + 1);
}

type Metric = "euclidean" | "cosine";

/** Neighbours by plain loops in float64. */
function bruteForce(a: Float32Array, b: Float32Array, nDims: number, k: number, metric: Metric) {
  const row = (m: Float32Array, i: number) =>
    Float64Array.from(m.subarray(i * nDims, (i + 1) * nDims));
  const unit = (v: Float64Array) => metric === "cosine" ? v.map((x) => x / Math.hypot(...v)) : v;
  return Array.from({ length: b.length / nDims }, (_, q) => {
    const query = unit(row(b, q));
    const all = Array.from({ length: a.length / nDims }, (_, index) => {
      const r = unit(row(a, index));
      const square = query.reduce((sum, x, at) => sum + (x - r[at]!) ** 2, 0);
      return { index, distance: metric === "cosine" ? square / 2 : Math.sqrt(square) };
    });
    return all.sort((x, y) => x.distance - y.distance || x.index - y.index).slice(0, k);
  });
}

Deno.test("nearestNeighbors() gives exact distances across tiles, in the order of rows among equals", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const reference = grid(300, 5, 1), query = grid(40, 5, 2);
  const { liveBuffers } = device.memory;
  for (const tile of [64, 8192]) {
    const found = await nearestNeighbors(device, reference, query, { nDims: 5, k: 12, tile });
    const wanted = bruteForce(reference, query, 5, 12, "euclidean").flat();
    assertClose(found.distances, wanted.map(({ distance }) => distance), 1e-6);
    assert.deepEqual([...found.indices], wanted.map(({ index }) => index));
  }
  assert.equal(device.memory.liveBuffers, liveBuffers);
});

Deno.test("nearestNeighbors() takes cosine distances", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const reference = grid(100, 6, 3), query = grid(20, 6, 4);
  const settings = { nDims: 6, k: 5, metric: "cosine" } as const;
  const { distances } = await nearestNeighbors(device, reference, query, settings);
  const wanted = bruteForce(reference, query, 6, 5, "cosine").flat();
  assertClose(distances, wanted.map(({ distance }) => distance), 1e-7);
});

Deno.test("nearestNeighbors() finds scikit-learn's neighbours", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const reference = Float32Array.from(SKLEARN.pca.scores.flat());
  const query = Float32Array.from(SKLEARN.pca.queryScores.flat());
  const found = await nearestNeighbors(device, reference, query, { nDims: 10, k: 7 });
  assert.deepEqual([...found.indices], SKLEARN.knn.uniform.indices.flat());
  assertClose(found.distances, SKLEARN.knn.uniform.distances.flat(), 1e-5);
});

Deno.test("nearestNeighbors() does not trust float32 where points are far from the origin and close to each other", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const random = new RandomStream(5, 1);
  const reference = Float32Array.from({ length: 400 }, () => 1000 + 1e-3 * random.normal());
  reference.set([-1e4, 0], 0); // one stray point spoils centring
  const found = await nearestNeighbors(device, reference, reference, { nDims: 2, k: 10 });
  const wanted = bruteForce(reference, reference, 2, 10, "euclidean").flat();
  assert.deepEqual([...found.indices], wanted.map(({ index }) => index));
});

Deno.test("nearestNeighbors() refuses what it cannot compare", async () => {
  const device = {} as Device;
  const one = new Float32Array([1, 2]);
  const find = (query: Float32Array, options: object) =>
    nearestNeighbors(device, one, query, { nDims: 2, k: 1, ...options });
  await assert.rejects(find(one, { k: 2 }), /k must be in 1\.\.1 .* got 2/);
  await assert.rejects(find(new Float32Array(3), {}), /whole rows of nDims = 2: got 3/);
  await assert.rejects(find(new Float32Array([1, NaN]), {}), /got NaN in query row 0, dimension 1/);
  await assert.rejects(find(new Float32Array(2), { metric: "cosine" }), /query row 0 is/);
  await assert.rejects(find(one, { ndims: 2 }), /"nDims"/);
  await using real = await openWasmDevice({ threads: 1 });
  const signal = AbortSignal.abort();
  const stopped = nearestNeighbors(real, one, one, { nDims: 2, k: 1, signal });
  await assert.rejects(stopped, { name: "AbortError" });
  assert.equal(real.memory.liveBuffers, 0);
});
