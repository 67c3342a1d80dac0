/** The WebGPU engine. */
import type {
  Device,
  DeviceBuffer,
  DeviceInfo,
  KernelTable,
  MemoryStats,
  View,
} from "../device.ts";
import { DeviceError } from "../errors.ts";
import type { OpInputs, OpName, OpOutputs, OpParams } from "../ops.ts";
import { assertKnownKeys } from "../options.ts";
import { adoptGpu, type OpenedGpu, requestGpu } from "./adapter.ts";
import { Commands, dispatcherOf } from "./commands.ts";
import { makeKernels } from "./kernels/table.ts";
import { BufferPool, WebGpuBuffer } from "./memory.ts";

/** How to open a WebGPU device. */
export interface WebGpuOptions {
  /** A device made elsewhere, for example Dawn's; it is used as it is and not destroyed on dispose. */
  readonly device?: GPUDevice;
  /** Whether an adapter that a CPU emulates will do; default false. */
  readonly software?: boolean;
  /** Bytes of live buffers beyond which allocations are refused; default 8 GiB, as WebGPU does not tell the GPU's memory. */
  readonly memoryLimitBytes?: number;
}

/**
 * Opens the best WebGPU adapter, or takes the device given.
 *
 * @param options Which adapter or device, and how much memory
 * @returns The device; end it with `await using`
 * @throws {DeviceError} of kind "unavailable" when there is no adapter, or only an emulated one and `software` is not set
 */
export async function openWebGpuDevice(options: WebGpuOptions = {}): Promise<Device> {
  assertKnownKeys("open a WebGPU device", options, ["device", "software", "memoryLimitBytes"]);
  const { device, software = false, memoryLimitBytes = 8 * 2 ** 30 } = options;
  const opened = device ? adoptGpu(device) : await requestGpu(software);
  return new WebGpuDevice(opened, { memoryLimitBytes, owned: !device });
}

class WebGpuDevice implements Device {
  readonly info: DeviceInfo;
  readonly #gpu: GPUDevice;
  readonly #owned: boolean;
  readonly #commands: Commands;
  readonly #pool: BufferPool;
  readonly #kernels: KernelTable<WebGpuBuffer>;
  #failure: Error | undefined;
  #disposed = false;

  constructor(opened: OpenedGpu, options: { memoryLimitBytes: number; owned: boolean }) {
    const { device, name, software } = opened;
    this.info = { kind: "webgpu", name, software, threads: 1, features: [] };
    this.#gpu = device;
    this.#owned = options.owned;
    this.#commands = new Commands(device);
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    const maxBufferBytes = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) *
      16;
    const limits = { limitBytes: options.memoryLimitBytes, maxBufferBytes };
    this.#pool = new BufferPool(device, limits, () => this.#commands.flush());
    this.#kernels = makeKernels(dispatcherOf(this.#commands, this.#pool));
    device.addEventListener("uncapturederror", this.#onError);
    device.lost.then(({ message }) => {
      if (this.#disposed) return;
      this.#failure = new DeviceError("lost", `Cannot go on as the GPU was lost: ${message}`);
    });
  }

  get memory(): MemoryStats {
    return this.#pool.stats;
  }

  alloc(byteLength: number): DeviceBuffer {
    this.#assertWorks();
    return this.#pool.alloc(byteLength);
  }

  free(buffer: DeviceBuffer): void {
    this.#pool.free(owned(buffer));
  }

  write(buffer: DeviceBuffer, byteOffset: number, bytes: Uint8Array): void {
    this.#assertWorks();
    assertRange("write", buffer, byteOffset, bytes.byteLength);
    if (bytes.byteLength === 0) return; // Deno 2.9 panics on an empty write
    this.#commands.write(owned(buffer), byteOffset, bytes as Uint8Array<ArrayBuffer>);
  }

  async read(
    buffer: DeviceBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertWorks();
    assertRange("read", buffer, byteOffset, byteLength);
    if (byteLength === 0) return new Uint8Array(0);
    try {
      const bytes = await this.#commands.read(owned(buffer), byteOffset, byteLength);
      this.#assertWorks();
      return bytes;
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  run<K extends OpName>(
    op: K,
    inputs: OpInputs<K, View>,
    outputs: OpOutputs<K, View>,
    params: OpParams<K>,
  ): void {
    this.#assertWorks();
    this.#kernels[op](
      inputs as OpInputs<K, View<WebGpuBuffer>>,
      outputs as OpOutputs<K, View<WebGpuBuffer>>,
      params,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#commands.flush();
    await this.#gpu.queue.onSubmittedWorkDone().catch(() => {});
    this.#gpu.removeEventListener("uncapturederror", this.#onError);
    this.#pool.destroy();
    this.#commands.destroy();
    if (this.#owned) this.#gpu.destroy();
  }

  #assertWorks(): void {
    if (this.#disposed) throw new TypeError("Cannot use a device as it was disposed");
    if (this.#failure) throw this.#failure;
  }

  readonly #onError = (event: Event): void => {
    event.preventDefault();
    const { error } = event as GPUUncapturedErrorEvent;
    // By name, as the class of a device handed in may be another than the global one.
    this.#failure ??= error.constructor.name === "GPUOutOfMemoryError"
      ? new DeviceError("memory", `Cannot allocate as the GPU has no memory left: ${error.message}`)
      : new Error(`Cannot run on the GPU: ${error.message}`, { cause: error });
  };
}

function owned(buffer: DeviceBuffer): WebGpuBuffer {
  if (buffer instanceof WebGpuBuffer) return buffer;
  throw new TypeError("Cannot use a buffer as it belongs to another device");
}

function assertRange(
  act: string,
  buffer: DeviceBuffer,
  byteOffset: number,
  byteLength: number,
): void {
  if (buffer.freed) throw new TypeError(`Cannot ${act} a buffer as it was freed`);
  const aligned = byteOffset % 4 === 0 && byteLength % 4 === 0;
  if (!aligned || byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > buffer.byteLength) {
    throw new RangeError(
      `Cannot ${act} as bytes must be multiples of 4 inside 0..${buffer.byteLength}: got ${byteOffset}..${
        byteOffset + byteLength
      }`,
    );
  }
}
