/** The device suite on the WebGPU engine; on a server without a GPU, Mesa's lavapipe with DENO_WEBGPU_BACKEND=vulkan. */
import assert from "node:assert/strict";
import { DeviceError } from "../../gpu/errors.ts";
import { selfTest } from "../../gpu/self_test.ts";
import { run } from "../../gpu/run.ts";
import { Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { openWebGpuDevice } from "../../gpu/webgpu/device.ts";
import { deviceSuite } from "./device_suite.ts";

const software = true;
const reason = await openWebGpuDevice({ software }).then(
  async (device) => {
    console.log(`WebGPU tests run on ${device.info.name}`);
    await device[Symbol.asyncDispose]();
  },
  (error: Error) => error.message,
);
const required = Deno.env.get("CI") === "true";
const ignore = reason !== undefined && !required;
if (ignore) console.log(`WebGPU tests are skipped: ${reason}`);

const open = (options = { memoryLimitBytes: 2 ** 30 }) =>
  openWebGpuDevice({ software, ...options });
for (const check of deviceSuite(open)) {
  Deno.test({ name: `webgpu ${check.name}`, ignore, sanitizeResources: false, fn: check.run });
}

/** A device made by the caller, as Dawn's would be. */
async function callersDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  return await adapter!.requestDevice();
}

Deno.test({
  name: "openWebGpuDevice() uses the caller's device and leaves it alive",
  ignore,
  fn: leavesAlive,
});

async function leavesAlive() {
  const device = await callersDevice();
  for (let round = 0; round < 2; round++) {
    await using opened = await openWebGpuDevice({ device });
    using x = Tensor.from(opened, "f32", [2], new Float32Array([1, -2]));
    using y = run("unary", { x }, { fn: "relu" }).y;
    assert.deepEqual([...await y.data()], [1, 0]);
  }
  device.destroy();
}

Deno.test({ name: "a lost device fails with DeviceError of kind lost", ignore, fn: failsWhenLost });

async function failsWhenLost() {
  const device = await callersDevice();
  await using opened = await openWebGpuDevice({ device });
  using x = Tensor.from(opened, "f32", [2], new Float32Array([1, -2]));
  device.destroy();
  await device.lost;
  const isLost = (error: unknown) => error instanceof DeviceError && error.kind === "lost";
  assert.throws(() => run("unary", { x }, { fn: "relu" }), isLost);
  await assert.rejects(() => x.data(), isLost);
}

Deno.test({
  name: "openWebGpuDevice() refuses an emulated adapter by default",
  ignore,
  fn: refusesSoftware,
});

async function refusesSoftware() {
  await using any = await openWebGpuDevice({ software });
  const opened = await openWebGpuDevice().catch((error: unknown) => error);
  if (any.info.software) assert(opened instanceof DeviceError && opened.kind === "unavailable");
  else await (opened as typeof any)[Symbol.asyncDispose]();
}

Deno.test({ name: "selfTest() passes the WebGPU engine", ignore, fn: passesSelfTest });

async function passesSelfTest() {
  await using device = await openWebGpuDevice({ software });
  await using reference = await openWasmDevice({ threads: 1 });
  const { ok, errors } = await selfTest(device, reference);
  assert(ok, JSON.stringify(errors));
}
