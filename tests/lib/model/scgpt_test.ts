import assert from "node:assert/strict";
import { DeviceError, openWasmDevice } from "../../../gpu/mod.ts";
import type { TokenBatch } from "../../../lib/model/batch.ts";
import { OUTPUT_NAMES, type OutputName } from "../../../lib/model/scgpt.ts";
import { bitsOf, freshModel } from "./fresh_model.ts";

const device = await openWasmDevice({ threads: 1 });

const BATCH: TokenBatch = {
  ids: Uint32Array.of(41, 0, 1, 41, 2),
  values: Float32Array.of(-2, 7, 50, -2, 3),
  offsets: Uint32Array.of(0, 3, 5),
};

Deno.test("ScGPT frees all but its outputs, and everything at its end", async () => {
  const left: number[] = [];
  for (let round = 0; round < 2; round++) {
    await runModel();
    assert.equal(device.memory.liveBuffers, 0);
    left.push(device.memory.liveBytes); // a device keeps scratch memory
  }
  assert.equal(left[1], left[0]);
});

async function runModel(): Promise<void> {
  using model = await freshModel(device, { config: { nCls: 3, explicitZeroProb: true } });
  const outputs = [...model.outputs];
  const { liveBuffers } = device.memory;
  const pass = () => {
    const results = model.forward(BATCH, outputs);
    assert.equal(device.memory.liveBuffers, liveBuffers + outputs.length);
    for (const name of outputs) results[name][Symbol.dispose]();
    model.embedCells(BATCH)[Symbol.dispose]();
    assert.throws(() => model.forward({ ...BATCH, ids: Uint32Array.of(1) }, ["cell"]), RangeError);
    assert.equal(device.memory.liveBuffers, liveBuffers);
  };
  pass(); // from their first use on, a device may keep weights in another order
  const { liveBytes } = device.memory;
  pass();
  assert.equal(device.memory.liveBytes, liveBytes);
}

Deno.test("ScGPT frees the weights when it cannot be assembled or they do not fit", async () => {
  const { liveBuffers } = device.memory;
  await assert.rejects(
    freshModel(device, { args: { pre_norm: true } }),
    /Cannot assemble the model as pre_norm is not supported/,
  );
  assert.equal(device.memory.liveBuffers, liveBuffers);
  const tight = await openWasmDevice({ threads: 1, memoryLimitBytes: 200_000 });
  await assert.rejects(freshModel(tight), (error: unknown) => {
    return error instanceof DeviceError && error.kind === "memory";
  });
  assert.equal(tight.memory.liveBuffers, 0);
  await tight[Symbol.asyncDispose]();
});

Deno.test("ScGPT frees what a pass made that did not fit into memory", async () => {
  const tight = await openWasmDevice({ threads: 1, memoryLimitBytes: 1_500_000 });
  using model = await freshModel(tight);
  const { liveBuffers } = tight.memory;
  const tokens = 20_000;
  const large = { ids: new Uint32Array(tokens), offsets: Uint32Array.of(0, tokens) };
  assert.throws(() => model.forward(large, ["cell"]), DeviceError);
  assert.equal(tight.memory.liveBuffers, liveBuffers);
  model.embedCells(BATCH)[Symbol.dispose](); // and it still works
});

Deno.test("ScGPT offers the outputs that its weights allow", async () => {
  using plain = await freshModel(device);
  assert.deepEqual([...plain.outputs], ["cell", "hidden", "mlm", "mvc"]);
  using full = await freshModel(device, {
    config: { nCls: 2, explicitZeroProb: true, dar: true, nBatch: 2 },
  });
  assert.deepEqual([...full.outputs], [...OUTPUT_NAMES]);
});

Deno.test("ScGPT.forward() refuses an output that the model has no head for", async () => {
  using model = await freshModel(device, { config: { mvc: false } });
  const { liveBuffers } = device.memory;
  for (const name of ["cls", "mvc", "dab", "mlm_zero_probs"] as const) {
    assert.throws(() => model.forward(BATCH, [name]), (error: unknown) => {
      assert.ok(error instanceof RangeError);
      assert.equal(
        error.message,
        `Cannot compute "${name}" as this model has no such head: it has cell, hidden, mlm`,
      );
      return true;
    });
  }
  assert.throws(() => model.forward(BATCH, ["cells" as OutputName]), /no such head/);
  assert.equal(device.memory.liveBuffers, liveBuffers);
});

Deno.test("ScGPT.embedCells() gives what forward() gives, and each cell the bits it has alone", async () => {
  using model = await freshModel(device);
  using cells = model.embedCells(BATCH);
  using same = model.forward(BATCH, ["cell"]).cell;
  const fast = await cells.data(), slow = await same.data();
  assert.deepEqual(cells.shape, [2, 64]);
  fast.forEach((value, at) => assert.ok(Math.abs(value - slow[at]!) < 2e-6));
  using alone = model.embedCells({
    ids: BATCH.ids.slice(3),
    values: BATCH.values!.slice(3),
    offsets: Uint32Array.of(0, 2),
  });
  assert.deepEqual(bitsOf(await alone.data()), bitsOf(fast.slice(64)));
});

Deno.test("ScGPT.embedCells() puts a cell prompt in place of the first token", async () => {
  using model = await freshModel(device);
  const cellPrompt = new Float32Array(128).fill(0.5);
  using prompted = model.embedCells({ ...BATCH, cellPrompt });
  using other = model.embedCells({
    ...BATCH,
    ids: Uint32Array.of(5, 0, 1, 6, 2), // what the prompt replaces
    cellPrompt,
  });
  using plain = model.embedCells(BATCH);
  const bits = bitsOf(await prompted.data());
  assert.deepEqual(bitsOf(await other.data()), bits);
  assert.notDeepEqual(bitsOf(await plain.data()), bits);
});
