/** Chooses a compute device. */
import type { Device, DeviceKind } from "./device.ts";
import { DeviceError } from "./errors.ts";
import { assertKnownKeys } from "./options.ts";
import { selfTest } from "./self_test.ts";
import { openWasmDevice } from "./wasm/device.ts";
import { openWebGpuDevice } from "./webgpu/device.ts";

/** How to open a device. */
export interface OpenOptions {
  /** `auto` (default): a hardware GPU that passes the self-test, else WASM. Otherwise this engine or an error. */
  readonly kind?: "auto" | DeviceKind;
  /** Whether a GPU that a CPU emulates will do; only with kind `webgpu`. Default false. */
  readonly software?: boolean;
  /** A `GPUDevice` made elsewhere, for example Dawn's; it is used as it is, and not destroyed on dispose. */
  readonly device?: GPUDevice;
  /** Threads of the WASM engine. Default: one a processor. */
  readonly threads?: number;
  /** Bytes that live tensors may take. Default: the engine's. */
  readonly memoryLimitBytes?: number;
  /** Whether a GPU must first agree with the WASM engine. Default true. */
  readonly selfTest?: boolean;
  /** Told why `auto` took WASM. */
  readonly onFallback?: (reason: DeviceError) => void;
}

const KEYS = [
  "kind",
  "software",
  "device",
  "threads",
  "memoryLimitBytes",
  "selfTest",
  "onFallback",
];
const KINDS = ["auto", "webgpu", "wasm"];

/**
 * Opens the fastest device that gives right numbers.
 *
 * @example
 * ```ts
 * import { openDevice, run, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openDevice({ kind: "wasm", threads: 1 });
 * using x = Tensor.from(device, "f32", [2, 2], new Float32Array([1, 2, 3, 4]));
 * using y = run("linear", { x, weight: x }, { activation: "none" }).y;
 * assert.deepEqual([...await y.data()], [5, 11, 11, 25]);
 * ```
 *
 * @param options Which engine, and its settings
 * @returns The device; end it with `await using`
 * @throws {DeviceError} of kind "unavailable" or "self-test" when the engine asked for cannot be had
 * @throws {TypeError} for unknown or contradictory options
 */
export async function openDevice(options: OpenOptions = {}): Promise<Device> {
  const kind = checkedKind(options);
  if (kind === "wasm") return await openWasm(options);
  try {
    return await openWebGpu(options);
  } catch (error) {
    if (kind === "webgpu" || !(error instanceof DeviceError)) throw error;
    options.onFallback?.(error);
    return await openWasm(options);
  }
}

/** A device handed in is what the caller wants: no other engine takes its place. */
function checkedKind(options: OpenOptions): "auto" | DeviceKind {
  assertKnownKeys("open a device", options, KEYS);
  const { kind = options.device ? "webgpu" : "auto", software, device, memoryLimitBytes = 1 } =
    options;
  if (!KINDS.includes(kind)) {
    throw new TypeError(
      `Cannot open a device as kind must be one of ${KINDS.join(", ")}: got ${kind}`,
    );
  }
  if (software && kind !== "webgpu") {
    throw new TypeError(`Cannot open a software GPU as it needs kind "webgpu": got "${kind}"`);
  }
  if (device && kind !== "webgpu") {
    throw new TypeError(`Cannot use the given GPUDevice as it needs kind "webgpu": got "${kind}"`);
  }
  if (!(memoryLimitBytes > 0)) {
    throw new RangeError(
      `Cannot open a device as memoryLimitBytes must be > 0: got ${memoryLimitBytes}`,
    );
  }
  return kind;
}

function openWasm({ threads, memoryLimitBytes }: OpenOptions): Promise<Device> {
  return openWasmDevice({
    ...(threads !== undefined && { threads }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  });
}

async function openWebGpu(options: OpenOptions): Promise<Device> {
  const { software, device, memoryLimitBytes } = options;
  const opened = await openWebGpuDevice({
    ...(software !== undefined && { software }),
    ...(device !== undefined && { device }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  });
  if (options.selfTest === false) return opened;
  try {
    await assertAgrees(opened);
    return opened;
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

async function assertAgrees(device: Device): Promise<void> {
  await using reference = await openWasmDevice({ threads: 1 });
  const { ok, errors } = await selfTest(device, reference).catch((cause: Error) => {
    const message =
      `Cannot use ${device.info.name} as it failed in the self-test: ${cause.message}`;
    throw new DeviceError("self-test", message, { cause });
  });
  if (ok) return;
  const [op, error] = Object.entries(errors).reduce((a, b) => a[1] >= b[1] ? a : b);
  throw new DeviceError(
    "self-test",
    `Cannot use ${device.info.name} as it must agree with the CPU within 1e-4: ${op} is off by ${error}`,
  );
}
