import assert from "node:assert/strict";
import {
  type AnnData,
  CategoricalColumn,
  evaluateIntegration,
  type IntegrationEvaluation,
  reportIntegration,
  reportJson,
} from "../../../mod.ts";
import { openDevice, RECIPE, twoParts } from "./recipe.ts";

function withBatches(cells: AnnData): AnnData {
  const batch = cells.obsNames.map((_, row) => `b${row % 2}`);
  return cells.with({ obs: cells.obs.with("batch", CategoricalColumn.from(batch)) });
}

Deno.test("evaluateIntegration() scores trained, random and classical embeddings of the same cells", async () => {
  using parts = await twoParts();
  await using device = await openDevice();
  const { labelKey, ...start } = RECIPE;
  const train = { ...start, batchKey: "batch", fit: { epochs: 1, batchSize: 32 } };
  let result: IntegrationEvaluation | undefined;
  const options = { train, labelKey, labelMap: { "CD34+": null }, seeds: [1] };
  for await (const event of evaluateIntegration(withBatches(parts.train), device, options)) {
    if (event.kind === "result") result = event.result;
  }
  assert.equal(device.memory.liveBuffers, 0, "models are freed");
  const { methods, labels, batches, embeddings, notes } = result!;
  assert.deepEqual(methods.map(({ method }) => method), [...embeddings.keys()]);
  assert.ok(!labels.includes("CD34+") && labels.length === batches.length);
  assert.match(notes[0]!, /^\d+ cells have no type and were left out$/);
  const [trained, random] = ["scGPT, trained", "scGPT, random weights"]
    .map((name) => embeddings.get(name)!.embeddings);
  assert.equal(trained!.length, labels.length * 16);
  assert.notDeepEqual(trained, random);

  const report = await reportIntegration(device, result!, { title: "Blood", manifest: {} });
  const { tables, figures } = JSON.parse(reportJson(report));
  assert.deepEqual(Object.keys(tables), ["scib", "scib_metrics"]);
  const overall = methods[0]!.results[0]!.scores["scib.overall"].value;
  assert.deepEqual(tables.scib.rows[0].results.overall.values, [overall]);
  assert.equal(Object.keys(figures).length, 8);
});
