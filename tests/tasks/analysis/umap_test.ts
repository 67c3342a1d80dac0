import assert from "node:assert/strict";
import { type Device, openWasmDevice, RandomStream } from "../../../gpu/mod.ts";
import { nearestNeighbors } from "../../../tasks/analysis/knn.ts";
import { umap, umapLayout } from "../../../tasks/analysis/umap.ts";
import { vote } from "../../../tasks/analysis/vote.ts";
import { GRAPH, graphOf, ROWS, trustworthiness } from "./expected.ts";

/** Lowest trustworthiness (10 neighbours) of umap-learn's pictures of the same graph with seeds 0..4. */
const UMAP_LEARN = 0.966;

/** Three clouds of 30 points in 8 dimensions. */
function clouds(): { rows: Float32Array; labels: string[] } {
  const random = new RandomStream(3, 1);
  const labels = Array.from({ length: 90 }, (_, cell) => String(cell % 3));
  const rows = Float32Array.from(
    { length: 90 * 8 },
    (_, at) => random.normal() + 8 * Number(at % 8 === Math.floor(at / 8) % 3),
  );
  return { rows, labels };
}

Deno.test("umap() keeps clouds together, the same for the same seed", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const { rows, labels } = clouds();
  const { liveBuffers } = device.memory;
  const { x, y } = await umap(device, rows, { nDims: 8, nEpochs: 200 });
  const points = Float32Array.from({ length: 180 }, (_, at) => (at % 2 === 0 ? x : y)[at >> 1]!);
  const near = await nearestNeighbors(device, points, points, { nDims: 2, k: 5 });
  assert.deepEqual(vote(near, labels).labels, labels);
  assert.equal(device.memory.liveBuffers, liveBuffers);

  const again = await umap(device, rows, { nDims: 8, nEpochs: 200 });
  assert.deepEqual(again, { x, y });
  const other = await umap(device, rows, { nDims: 8, nEpochs: 200, seed: 1 });
  assert.notDeepEqual(other.x, x);
});

Deno.test("umapLayout() is as trustworthy as umap-learn", async () => {
  const { x, y } = await umapLayout(GRAPH);
  const found = trustworthiness(ROWS, 10, { x, y, k: 10 });
  assert.ok(found > UMAP_LEARN - 0.01, `${found}`);
});

Deno.test("umapLayout() draws several components, and cells without edges", async () => {
  const ring = (first: number): [number, number, number][] =>
    Array.from({ length: 40 }, (_, at) => [first + at, first + (at + 1) % 40, 1]);
  const { x, y } = await umapLayout(graphOf(81, [...ring(0), ...ring(40)])); // 80 has no edge
  for (const value of [...x, ...y]) assert.ok(Number.isFinite(value));
  const apart = (a: number, b: number) => Math.hypot(x[a]! - x[b]!, y[a]! - y[b]!);
  for (let cell = 0; cell < 40; cell++) assert.ok(apart(cell, (cell + 1) % 40) < apart(cell, 60));
});

Deno.test("umap() refuses odd settings and stops on a signal", async () => {
  const { rows } = clouds();
  const none = {} as Device;
  await assert.rejects(umap(none, rows, { nDims: 8, nNeighbors: 91 }), /in 2\.\.90 cells: got 91/);
  await assert.rejects(umap(none, rows, { nDims: 8, minDist: 2 }), /minDist 2 and spread 1/);
  await assert.rejects(umap(none, rows, { nDims: 8, nEpochs: 0 }), /positive integer: got 0/);
  await assert.rejects(umap(none, rows, { nDims: 8, mindist: 1 } as never), /"minDist"/);
  await assert.rejects(umapLayout(GRAPH, { nDims: 8 } as object), TypeError);
  await using device = await openWasmDevice({ threads: 1 });
  const signal = AbortSignal.abort();
  await assert.rejects(umap(device, rows, { nDims: 8, signal }), { name: "AbortError" });
});
