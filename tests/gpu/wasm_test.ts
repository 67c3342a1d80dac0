/** The device suite on the CPU engine: one and two threads, with and without fused multiply-add. */
import assert from "node:assert/strict";
import { run, scope, Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice, type WasmDeviceOptions } from "../../gpu/wasm/device.ts";
import { Arena } from "../../gpu/wasm/arena.ts";
import { deviceSuite } from "./device_suite.ts";

const VARIANTS: Readonly<Record<string, WasmDeviceOptions>> = {
  "1 thread": { threads: 1 },
  "2 threads": { threads: 2 },
  "1 thread, plain SIMD": { threads: 1, simd: "plain" },
};

for (const [name, settings] of Object.entries(VARIANTS)) {
  const open = (options: WasmDeviceOptions = {}) => openWasmDevice({ ...settings, ...options });
  for (const check of deviceSuite(open)) Deno.test(`wasm ${name}: ${check.name}`, check.run);
}

/** One model layer on odd sizes; bits of its result. */
async function layerBits(threads: number): Promise<Uint32Array> {
  await using device = await openWasmDevice({ threads });
  const fill = (shape: number[], seed: number) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Math.sin(seed + i * 0.37));
    return Tensor.from(device, "f32", shape, data);
  };
  using y = scope(device, () => {
    const x = fill([501, 64], 1);
    const qkv = run("linear", { x, weight: fill([192, 64], 2) }, { activation: "none" }).y;
    const offsets = Tensor.from(device, "u32", [4], Uint32Array.of(0, 1, 300, 501));
    const { context } = run("attention", { qkv, offsets }, { heads: 4 });
    const norm = { x, residual: context, weight: fill([64], 3), bias: fill([64], 4) };
    return run("layer_norm", norm, { eps: 1e-5 }).y;
  });
  return new Uint32Array((await y.data()).buffer);
}

Deno.test("openWasmDevice() gives the same bits with 1, 2 and 5 threads", async () => {
  const one = await layerBits(1);
  assert.deepEqual(await layerBits(2), one);
  assert.deepEqual(await layerBits(5), one);
});

Deno.test("openWasmDevice() refuses a number of threads outside 1 to 64", async () => {
  await assert.rejects(openWasmDevice({ threads: 0 }), RangeError);
  await assert.rejects(openWasmDevice({ threads: 65 }), RangeError);
  await assert.rejects(openWasmDevice({ threads: 1.5 }), RangeError);
});

Deno.test("openWasmDevice() forgets packed weights when a weight is written or overwritten", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using x = Tensor.from(device, "f32", [1, 2], Float32Array.of(1, 1));
  using weight = Tensor.from(device, "f32", [1, 2], Float32Array.of(2, 3));
  const product = async () => {
    using y = run("linear", { x, weight }, { activation: "none" }).y;
    return (await y.data())[0];
  };
  assert.equal(await product(), 5);
  device.write(weight.buffer, 0, new Uint8Array(Float32Array.of(20, 30).buffer));
  assert.equal(await product(), 50);
});

Deno.test("Arena merges neighbours and gives the same memory out again", () => {
  const arena = new Arena(new WebAssembly.Memory({ initial: 1, maximum: 100 }), 4096, 2 ** 22);
  const blocks = [1000, 2000, 3000, 4000].map((size) => arena.alloc(size));
  const before = arena.memory.buffer.byteLength;
  for (const at of [1, 3, 0, 2]) arena.free(blocks[at]!);
  assert.equal(arena.liveBytes, 0);
  assert.equal(arena.alloc(10_000), blocks[0]);
  assert.equal(arena.memory.buffer.byteLength, before);
  assert.throws(() => arena.free(12345), RangeError);
});
