/** The device suite on the CPU engine: one and two threads, with and without fused multiply-add. */
import assert from "node:assert/strict";
import { run } from "../../gpu/run.ts";
import { Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice, type WasmDeviceOptions } from "../../gpu/wasm/device.ts";
import { Arena } from "../../gpu/wasm/arena.ts";
import { deviceSuite } from "./device_suite.ts";
import { allResults } from "./suite/agreement.ts";
import { assertSameBits } from "./suite/check.ts";

const VARIANTS: Readonly<Record<string, WasmDeviceOptions>> = {
  "1 thread": { threads: 1 },
  "2 threads": { threads: 2 },
  "1 thread, plain SIMD": { threads: 1, simd: "plain" },
};

for (const [name, settings] of Object.entries(VARIANTS)) {
  const open = (options: WasmDeviceOptions = {}) => openWasmDevice({ ...settings, ...options });
  for (const check of deviceSuite(open)) Deno.test(`wasm ${name}: ${check.name}`, check.run);
}

/** Every result of every case of every op; the cases have rows, cells and elements enough for several threads. */
async function bitsOf(threads: number): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  await using device = await openWasmDevice({ threads });
  const bits = new Map<string, ArrayLike<number>>();
  for (const { name, results } of allResults(device)) {
    for (const [output, { data }] of Object.entries(await results())) {
      bits.set(`${output} of ${name}`, data);
    }
  }
  return bits;
}

Deno.test("openWasmDevice() gives the same bits with 1, 2 and 5 threads, for every op", async () => {
  const one = await bitsOf(1);
  for (const threads of [2, 5]) {
    for (const [name, bits] of await bitsOf(threads)) {
      assertSameBits(bits, one.get(name)!, `${name} with ${threads} threads`);
    }
  }
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
