import assert from "node:assert/strict";
import { evaluateMapping, type MappingEvaluation } from "../../../mod.ts";
import { bloodModel } from "../blood_cells.ts";
import { openDevice, twoParts } from "./recipe.ts";

Deno.test("evaluateMapping() scores a model, random weights for each seed, and the baselines", async () => {
  using parts = await twoParts();
  await using device = await openDevice();
  using model = await bloodModel(device, parts.train);
  const before = device.memory.liveBuffers;
  const map = { labelKey: "bulk_labels", k: 5, embedding: { layer: "raw" } };
  let result: MappingEvaluation | undefined;
  for await (
    const event of evaluateMapping(parts.train, parts.query, model, { map, seeds: [1, 2] })
  ) {
    if (event.kind === "result") result = event.result;
  }
  assert.equal(device.memory.liveBuffers, before, "random models are freed");
  const { methods, truth, predicted, classes } = result!;
  assert.deepEqual(methods.map(({ results }) => results.length), [2, 2, 1, 1, 1, 1]);
  const right = truth.filter((label, i) => label === predicted[i]).length;
  assert.equal(methods[0]!.results[0]!.accuracy, right / 40);
  const [one, two] = methods[1]!.results;
  assert.notDeepEqual(one!.confusion.counts, two!.confusion.counts);
  assert.equal(Object.values(classes).reduce((sum, count) => sum + count, 0), 100);
});
