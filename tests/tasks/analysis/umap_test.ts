import assert from "node:assert/strict";
import { type Device, openWasmDevice, RandomStream } from "../../../gpu/mod.ts";
import { nearestNeighbors } from "../../../tasks/analysis/knn.ts";
import { umap } from "../../../tasks/analysis/umap.ts";
import { vote } from "../../../tasks/analysis/vote.ts";

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

Deno.test("umap() refuses odd settings and stops on a signal", async () => {
  const { rows } = clouds();
  const none = {} as Device;
  await assert.rejects(umap(none, rows, { nDims: 8, nNeighbors: 90 }), /got 90 for 90 cells/);
  await assert.rejects(umap(none, rows, { nDims: 8, minDist: 2 }), /minDist 2 and spread 1/);
  await using device = await openWasmDevice({ threads: 1 });
  const signal = AbortSignal.abort();
  await assert.rejects(umap(device, rows, { nDims: 8, signal }), { name: "AbortError" });
});
