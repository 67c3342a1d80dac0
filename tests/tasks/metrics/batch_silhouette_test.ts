import assert from "node:assert/strict";
import { bras, isolatedLabels, silhouetteBatch } from "../../../tasks/metrics/batch_silhouette.ts";
import { silhouetteSamples } from "../../../tasks/metrics/silhouette.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, BATCHES, LABELS, SCIB, SCIB_METRICS } from "./cells.ts";

Deno.test("silhouetteBatch() gives scib's and scib-metrics' ASW_batch", async () => {
  const score = await silhouetteBatch(AFTER, LABELS, BATCHES);
  assertClose([score, score], [SCIB.asw_batch, SCIB_METRICS.silhouette_batch], 1e-6);
});

Deno.test("bras() gives scib-metrics' score for both kinds of distances", async () => {
  const score = await bras(AFTER, LABELS, BATCHES);
  const furthest = await bras(AFTER, LABELS, BATCHES, { between: "furthest" });
  assertClose([score, furthest], [SCIB_METRICS.bras, SCIB_METRICS.bras_furthest], 1e-6);
});

Deno.test("silhouetteBatch() leaves out labels of one batch, and of as many batches as cells", async () => {
  const rows = { nRows: 7, nCols: 1, data: new Float32Array([0, 1, 2, 3, 50, 60, 70]) };
  const labels = ["a", "a", "a", "a", "b", "b", "c"];
  const batches = ["x", "y", "x", "y", "x", "y", "x"];
  const whole = await silhouetteBatch(rows, labels, batches);
  const alone = await silhouetteBatch(
    { nRows: 4, nCols: 1, data: rows.data.subarray(0, 4) },
    labels.slice(0, 4),
    batches.slice(0, 4),
  );
  assert.equal(whole, alone);
  const single = batches.map(() => "x");
  await assert.rejects(silhouetteBatch(rows, labels, single), UndefinedMetricError);
});

Deno.test("isolatedLabels() gives scib's and scib-metrics' score", async () => {
  const samples = await silhouetteSamples(AFTER, LABELS);
  const score = isolatedLabels(samples, LABELS, BATCHES);
  assertClose([score, score], [SCIB.isolated_labels_asw, SCIB_METRICS.isolated_labels], 1e-6);
});

Deno.test("isolatedLabels() takes the labels of the fewest batches, or of at most maxBatches", () => {
  const samples = Float64Array.of(1, 0.5, 0, -1);
  const labels = ["a", "b", "b", "c"], batches = ["x", "x", "y", "x"];
  assert.equal(isolatedLabels(samples, labels, batches), 0.5); // a: 1, c: 0
  assert.equal(isolatedLabels(samples, labels, batches, { maxBatches: 2 }), (1 + 0.625 + 0) / 3);
  const none = () => isolatedLabels(samples, labels, batches, { maxBatches: 0 });
  assert.throws(none, UndefinedMetricError);
});
