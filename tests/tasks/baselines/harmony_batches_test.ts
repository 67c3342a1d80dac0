import assert from "node:assert/strict";
import { batchesOf } from "../../../tasks/baselines/harmony_batches.ts";

Deno.test("batchesOf() groups cells that share all batches", () => {
  const donors = ["d2", "d1", "d2", "d2"], kits = ["v3", "v3", "v2", "v3"];
  const found = batchesOf([donors, kits], { theta: [1, 3], lambda: 2 });
  assert.deepEqual([...found.group], [0, 1, 2, 0]);
  assert.deepEqual([...found.levels], [1, 3, 0, 3, 1, 2]); // d1, d2, v2, v3
  assert.deepEqual([...found.shares], [0.25, 0.75, 0.25, 0.75]);
  assert.deepEqual([...found.theta, ...found.lambda], [1, 1, 3, 3, 2, 2, 2, 2]);
});
