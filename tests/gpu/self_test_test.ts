import assert from "node:assert/strict";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { RULES } from "../../gpu/rules.ts";
import { selfTest } from "../../gpu/self_test.ts";

Deno.test("selfTest() passes two builds of one engine and covers every op", async () => {
  await using device = await openWasmDevice({ threads: 1, simd: "plain" });
  await using reference = await openWasmDevice({ threads: 1 });
  const { ok, errors } = await selfTest(device, reference);
  assert.equal(ok, true);
  assert.deepEqual(Object.keys(errors).sort(), Object.keys(RULES).sort());
  assert.equal(device.memory.liveBuffers, 0);
});

Deno.test("selfTest() finds a device whose layer_norm forgets the bias", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  await using reference = await openWasmDevice({ threads: 1 });
  const right = device.run.bind(device);
  device.run = (op, inputs, outputs, params) =>
    right(
      op,
      op === "layer_norm"
        ? { ...inputs, bias: (inputs as typeof inputs & { weight: never }).weight }
        : inputs,
      outputs,
      params,
    );
  const { ok, errors } = await selfTest(device, reference);
  assert.equal(ok, false);
  assert(errors.layer_norm > 1e-3);
  assert.equal(errors.gather_rows, 0);
});

Deno.test("selfTest() takes numbers that are no numbers for an error", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  await using reference = await openWasmDevice({ threads: 1 });
  const right = device.read.bind(device);
  device.read = async (...place) => (await right(...place)).fill(255);
  assert.equal((await selfTest(device, reference)).ok, false);
});
