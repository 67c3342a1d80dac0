import assert from "node:assert/strict";
import { embedTrained } from "../../../mod.ts";
import { openDevice, trainedOn, twoParts } from "./recipe.ts";

Deno.test("embedTrained() gives unit vectors that do not depend on the batches", async () => {
  using parts = await twoParts();
  await using device = await openDevice();
  using annotator = await trainedOn(parts.train, device);
  const before = device.memory.liveBuffers;
  const whole = await embedTrained(parts.query, annotator, { layer: "raw" });
  assert.equal(whole.nDims, 16);
  for (let cell = 0; cell < 40; cell++) {
    const row = whole.embeddings.subarray(cell * 16, (cell + 1) * 16);
    assert.ok(Math.abs(Math.hypot(...row) - 1) < 1e-6);
  }
  const small = await embedTrained(parts.query, annotator, { layer: "raw", batchTokens: 100 });
  assert.deepEqual(small, whole);
  assert.equal(device.memory.liveBuffers, before);
  const misspelt = { layers: "raw" } as Record<string, string>;
  await assert.rejects(embedTrained(parts.query, annotator, misspelt), TypeError);
});
