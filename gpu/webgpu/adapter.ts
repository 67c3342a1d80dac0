/** Finds an adapter and makes a device with the limits that the kernels need. */
import { DeviceError } from "../errors.ts";

/** A device and what is known of the adapter it came from. */
export interface OpenedGpu {
  /** The device. */
  readonly device: GPUDevice;
  /** Adapter in words. */
  readonly name: string;
  /** Whether a CPU emulates the GPU. */
  readonly software: boolean;
}

/**
 * Requests a device with the adapter's own limits for buffers, so that a gene table of 124 MB fits one binding.
 *
 * @param software Whether an adapter that a CPU emulates will do
 * @throws {DeviceError} of kind "unavailable"
 */
export async function requestGpu(software: boolean): Promise<OpenedGpu> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  if (!gpu) throw new DeviceError("unavailable", "Cannot open WebGPU as this runtime has none");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" }) ??
    (software ? await gpu.requestAdapter({ forceFallbackAdapter: true }) : null);
  if (!adapter) throw new DeviceError("unavailable", "Cannot open WebGPU as there is no adapter");
  const described = describe(adapter.info);
  if (described.software && !software) {
    const message =
      `Cannot open WebGPU as its adapter is emulated by the CPU (${described.name}): pass software: true to use it`;
    throw new DeviceError("unavailable", message);
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    });
    return { device, ...described };
  } catch (cause) {
    throw new DeviceError("unavailable", `Cannot open a device on ${described.name}`, { cause });
  }
}

/** Takes a device that the caller made. */
export function adoptGpu(device: GPUDevice): OpenedGpu {
  return { device, ...describe(device.adapterInfo) };
}

function describe(info: GPUAdapterInfo | undefined): { name: string; software: boolean } {
  const words = info?.description ||
    [info?.vendor, info?.architecture, info?.device].join(" ").trim();
  const name = words || "unnamed adapter";
  const emulated = /llvmpipe|lavapipe|swiftshader|basic render|softpipe/i.test(name);
  return { name, software: info?.isFallbackAdapter === true || emulated };
}
