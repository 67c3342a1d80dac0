import assert from "node:assert/strict";
import { kMeans } from "../../../tasks/metrics/kmeans.ts";
import { AFTER, SCIB_METRICS } from "./cells.ts";

Deno.test("kMeans() ends as low as scib-metrics' over ten seeds", async () => {
  const inertias: number[] = [];
  for (let seed = 0; seed < 10; seed++) {
    inertias.push((await kMeans(AFTER, { nClusters: 9, seed })).inertia);
  }
  const theirs = SCIB_METRICS.kmeans.map(([, , inertia]) => inertia);
  assert.ok(Math.min(...inertias) <= 1.01 * Math.min(...theirs), `best ${Math.min(...inertias)}`);
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  assert.ok(
    mean(inertias) <= 1.03 * mean(theirs),
    `mean ${mean(inertias)}, theirs ${mean(theirs)}`,
  );
});

Deno.test("kMeans() is a fixed point: every row is nearest to the mean of its own cluster", async () => {
  const { clusters, inertia } = await kMeans(AFTER, { nClusters: 5, seed: 3 });
  const { nCols, data } = AFTER;
  const means = Array.from({ length: 5 }, (_, cluster) =>
    Array.from({ length: nCols }, (_, j) => {
      const own = [...clusters].flatMap((c, row) => c === cluster ? [data[row * nCols + j]!] : []);
      return own.reduce((sum, x) => sum + x, 0) / own.length;
    }));
  let total = 0;
  clusters.forEach((cluster, row) => {
    const squares = means.map((mean) =>
      mean.reduce((sum, x, j) => sum + (x - data[row * nCols + j]!) ** 2, 0)
    );
    assert.equal(squares.indexOf(Math.min(...squares)), cluster);
    total += squares[cluster]!;
  });
  assert.ok(Math.abs(total - inertia) < 1e-6 * total);
});

Deno.test("kMeans() depends on its seed alone, keeps the best start, and finds as many clusters as points", async () => {
  const options = { nClusters: 9, seed: 5 };
  assert.deepEqual(await kMeans(AFTER, options), await kMeans(AFTER, options));
  const best = await kMeans(AFTER, { ...options, nInit: 5 });
  assert.ok(best.inertia <= (await kMeans(AFTER, options)).inertia);
  const points = { nRows: 4, nCols: 1, data: new Float32Array([1, 5, 9, 30]) };
  const all = await kMeans(points, { nClusters: 4 });
  assert.deepEqual([new Set(all.clusters).size, all.inertia], [4, 0]);
});

Deno.test("kMeans() refuses settings out of range and stops when it is told", async () => {
  await assert.rejects(kMeans(AFTER, { nClusters: 401 }), /nClusters must be an integer in 1..400/);
  await assert.rejects(kMeans(AFTER, { nClusters: 2, nInit: 0 }), /nInit/);
  const stopped = kMeans(AFTER, { nClusters: 9, signal: AbortSignal.abort() });
  await assert.rejects(stopped, { name: "AbortError" });
});
