import assert from "node:assert/strict";
import { CategoricalColumn } from "../../data/mod.ts";
import { openWasmDevice } from "../../gpu/mod.ts";
import { integrate, trainIntegration } from "../../tasks/integrate.ts";
import { countedCells } from "./counted_cells.ts";

const SMALL = {
  batchKey: "batch",
  config: { embsize: 16, nheads: 2, dHid: 16, nlayers: 1 },
  fit: { epochs: 2, batchSize: 16 },
  seed: 1,
} as const;

Deno.test("trainIntegration() learns by all objectives, and integrate() embeds by the batch's norm", async () => {
  await using device = await openWasmDevice({ threads: 2 });
  const before = device.memory.liveBuffers;
  const cells = countedCells();
  const options = { ...SMALL, explicitZeroProb: true };
  const events = await Array.fromAsync(trainIntegration(cells, device, options));
  const step = events.find((event) => event.kind === "step");
  assert.ok(step?.kind === "step");
  assert.deepEqual(Object.keys(step.losses).sort(), [
    "dar",
    "ecs",
    "gep",
    "gep_zero_log_prob",
    "gepc",
    "gepc_zero_log_prob",
  ]);
  const last = events.at(-1)!;
  assert.ok(last.kind === "trained");
  {
    using integrator = last.integrator;
    assert.deepEqual(integrator.description.batches, ["b1", "b2"]);
    const { embeddings, width } = await integrate(cells, integrator, { batchKey: "batch" });
    assert.equal(embeddings.length, 80 * 16);
    for (let cell = 0; cell < 80; cell++) {
      const row = embeddings.subarray(cell * width, (cell + 1) * width);
      assert.ok(Math.abs(Math.hypot(...row) - 1) < 1e-5);
    }
    const few = await integrate(cells.select({ obs: [7, 2] }), integrator, { batchKey: "batch" });
    assert.deepEqual(few.embeddings.subarray(0, 16), embeddings.subarray(7 * 16, 8 * 16));
    const strange = countedCells({ seed: 2 });
    const other = strange.with({ obs: strange.obs.with("batch", Array(80).fill("b3")) });
    await assert.rejects(
      integrate(other, integrator, { batchKey: "batch" }),
      /trained on \(b1, b2\): got b3/,
    );
  }
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("trainIntegration() refuses one batch, and cells without one", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const cells = countedCells();
  const train = (batch: (string | null)[]) => {
    const data = cells.with({ obs: cells.obs.with("batch", CategoricalColumn.from(batch)) });
    return Array.fromAsync(trainIntegration(data, device, SMALL));
  };
  await assert.rejects(train(Array(80).fill("b1")), /at least two batches: got 1/);
  const labels = Array.from({ length: 80 }, (_, i) => i % 2 ? "b1" : "b2");
  await assert.rejects(
    train([null, ...labels.slice(1)]),
    /every cell must have one: cell1_0 has none/,
  );
});
