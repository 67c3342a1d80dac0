import assert from "node:assert/strict";
import { DeviceError } from "../../gpu/errors.ts";
import { openDevice, type OpenOptions } from "../../gpu/open.ts";

Deno.test("openDevice() opens the WASM engine with its settings", async () => {
  await using device = await openDevice({ kind: "wasm", threads: 1, memoryLimitBytes: 2 ** 26 });
  assert.equal(device.info.kind, "wasm");
  assert.equal(device.info.threads, 1);
  assert.equal(device.memory.limitBytes, 2 ** 26);
});

Deno.test("openDevice() never takes an emulated GPU by itself, and says why it took WASM", async () => {
  const reasons: DeviceError[] = [];
  await using device = await openDevice({
    threads: 1,
    onFallback: (reason) => reasons.push(reason),
  });
  assert.equal(device.info.software, false);
  assert.equal(reasons.length, device.info.kind === "wasm" ? 1 : 0);
  for (const reason of reasons) assert.match(reason.message, /^Cannot (open|use) /);
});

Deno.test("openDevice() fails rather than replaces the engine that was asked for", async () => {
  const opened = await openDevice({ kind: "webgpu" }).catch((error: unknown) => error);
  if (opened instanceof Error) {
    assert(opened instanceof DeviceError);
    assert(opened.kind === "unavailable" || opened.kind === "self-test");
  } else {
    const device = opened as Awaited<ReturnType<typeof openDevice>>;
    assert.equal(device.info.kind, "webgpu");
    await device[Symbol.asyncDispose]();
  }
});

Deno.test("openDevice() refuses unknown and contradictory options", async () => {
  const cases: [object, RegExp][] = [
    [{ memoryLimit: 1 }, /no option memoryLimit: the nearest is memoryLimitBytes/],
    [{ kind: "cuda" }, /kind must be one of auto, webgpu, wasm: got cuda/],
    [{ software: true }, /software GPU as it needs kind "webgpu": got "auto"/],
    [{ kind: "wasm", device: {} }, /given GPUDevice as it needs kind "webgpu": got "wasm"/],
    [{ memoryLimitBytes: 0 }, /memoryLimitBytes must be > 0: got 0/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(async () => await openDevice(options as OpenOptions), message);
  }
});
