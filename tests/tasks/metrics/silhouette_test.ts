import assert from "node:assert/strict";
import { silhouetteLabel, silhouetteSamples } from "../../../tasks/metrics/silhouette.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, LABELS, SCIB, SCIB_METRICS } from "./cells.ts";

const LINE = { nRows: 5, nCols: 1, data: new Float32Array([0, 1, 4, 6, 20]) };
const GROUPS = ["a", "a", "b", "b", "c"];

Deno.test("silhouetteLabel() gives scib's and scib-metrics' ASW_label", async () => {
  const score = await silhouetteLabel(AFTER, LABELS);
  assertClose([score, score], [SCIB.asw_label, SCIB_METRICS.silhouette_label], 1e-6);
});

Deno.test("silhouetteSamples() compares with the nearest, the furthest, or all other cells", async () => {
  // Cell 0: 1 from its own group, mean 5 from b and 20 from c; the cell alone in c scores 0.
  const nearest = await silhouetteSamples(LINE, GROUPS);
  assertClose([nearest[0]!, nearest[4]!], [(5 - 1) / 5, 0], 1e-12);
  const furthest = await silhouetteSamples(LINE, GROUPS, { between: "furthest" });
  assertClose([furthest[0]!], [(20 - 1) / 20], 1e-12);
  const all = await silhouetteSamples(LINE, GROUPS, { between: "mean_other" });
  assertClose([all[0]!], [(10 - 1) / 10], 1e-12);
});

Deno.test("silhouetteSamples() with cosines does not see lengths, and equal cells score 0", async () => {
  const rows = { nRows: 4, nCols: 2, data: new Float64Array([1, 0, 5, 5, 0, 2, 0, 9]) };
  const samples = await silhouetteSamples(rows, ["a", "a", "b", "b"], { metric: "cosine" });
  const half = 1 - Math.SQRT1_2;
  assertClose(samples, [(1 - half) / 1, 0, 1, 1], 1e-12);
  const same = { nRows: 3, nCols: 1, data: new Float32Array([2, 2, 2]) };
  assert.deepEqual([...await silhouetteSamples(same, ["a", "a", "b"])], [0, 0, 0]);
});

Deno.test("silhouetteSamples() is the same across tiles as over one", async () => {
  const n = 300;
  const data = Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i));
  const labels = Array.from({ length: n }, (_, i) => i % 3);
  const samples = await silhouetteSamples({ nRows: n, nCols: 2, data }, labels);
  const distance = (a: number, b: number) =>
    Math.hypot(data[2 * a]! - data[2 * b]!, data[2 * a + 1]! - data[2 * b + 1]!);
  for (const cell of [0, 130, 299]) {
    const sums = [0, 0, 0];
    for (let other = 0; other < n; other++) sums[labels[other]!]! += distance(cell, other);
    const own = labels[cell]!;
    const inside = sums[own]! / 99;
    const outside = Math.min(...sums.filter((_, group) => group !== own)) / 100;
    assertClose([samples[cell]!], [(outside - inside) / Math.max(inside, outside)], 1e-12);
  }
});

Deno.test("silhouetteSamples() has no value for one group or for cells that are their own", async () => {
  await assert.rejects(silhouetteSamples(LINE, ["a", "a", "a", "a", "a"]), (error: unknown) => {
    assert.ok(error instanceof UndefinedMetricError);
    assert.match(error.reason, /there must be 2 groups or more, and fewer than cells: got 1 of 5/);
    return true;
  });
  await assert.rejects(silhouetteSamples(LINE, [1, 2, 3, 4, 5]), UndefinedMetricError);
});

Deno.test("silhouetteSamples() refuses odd input and stops when it is told", async () => {
  await assert.rejects(silhouetteSamples(LINE, ["a"]), /got 1 labels of 5 cells/);
  const holed = { ...LINE, data: new Float32Array([0, 1, NaN, 6, 20]) };
  await assert.rejects(silhouetteSamples(holed, GROUPS), /values must be finite: row 2/);
  await assert.rejects(silhouetteSamples(LINE, GROUPS, { metric: "cosine" }), /row 0 breaks it/);
  const metric = "manhattan" as "cosine";
  await assert.rejects(silhouetteSamples(LINE, GROUPS, { metric }), /got "manhattan"/);
  const stopped = silhouetteSamples(LINE, GROUPS, { signal: AbortSignal.abort() });
  await assert.rejects(stopped, { name: "AbortError" });
});
