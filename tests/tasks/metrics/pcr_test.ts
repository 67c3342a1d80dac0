import assert from "node:assert/strict";
import { pcrComparison, principalComponentRegression } from "../../../tasks/metrics/pcr.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, BATCHES, BEFORE, SCIB, SCIB_METRICS } from "./cells.ts";

Deno.test("principalComponentRegression() gives scib's and scib-metrics' shares of variance", async () => {
  const before = await principalComponentRegression(BEFORE, BATCHES);
  const after = await principalComponentRegression(AFTER, BATCHES);
  assertClose([before, before], [SCIB.pcr_before, SCIB_METRICS.pcr_before], 1e-6);
  assertClose([after, after], [SCIB.pcr_after, SCIB_METRICS.pcr_after], 1e-6);
  const leading = await principalComponentRegression(AFTER, BATCHES, { nComponents: 3 });
  assertClose([leading], [SCIB.pcr_after_3], 1e-6);
});

Deno.test("pcrComparison() gives scib's and scib-metrics' scores, and 0 when batches explain more", async () => {
  const score = await pcrComparison(BEFORE, AFTER, BATCHES);
  assertClose([score, score], [SCIB.pcr_comparison, SCIB_METRICS.pcr_comparison], 1e-6);
  assert.equal(await pcrComparison(BEFORE, AFTER, BATCHES, { nComponents: 50 }), score);
  assert.equal(await pcrComparison(AFTER, BEFORE, BATCHES), 0);
});

Deno.test("pcrComparison() has no value for one batch or where nothing is to be removed", async () => {
  const one = BATCHES.map(() => "one");
  await assert.rejects(pcrComparison(BEFORE, AFTER, one), UndefinedMetricError);
  const even = { nRows: 4, nCols: 1, data: new Float32Array([0, 1, 0, 1]) };
  const flat = { ...even, data: new Float32Array(4) };
  const batches = ["a", "a", "b", "b"];
  await assert.rejects(pcrComparison(even, even, batches), /explained nothing before/);
  await assert.rejects(pcrComparison(flat, even, batches), /coordinates must vary/);
});
