/** The CPU engine: WebAssembly SIMD over one memory, with a pool of threads where memory can be shared. */
import type { Device, DeviceInfo, MemoryStats, View } from "../device.ts";
import { DeviceError } from "../errors.ts";
import type { OpInputs, OpName, OpOutputs, OpParams } from "../ops.ts";
import { Arena } from "./arena.ts";
import { MAX_THREADS, RESERVED_BYTES, WasmBuffer, WasmEngine } from "./engine.ts";
import { wasmKernels } from "./kernels.ts";
import { bestSimd, compileKernels, type Simd } from "./module.ts";
import { KernelPool } from "./pool.ts";

/** How the WASM device is opened. */
export interface WasmDeviceOptions {
  /** Threads that compute, 1 to 64. Default: the processor's, or 1 where threads cannot share memory or wait. */
  threads?: number | undefined;
  /** Most bytes the device may hold. Default 4 GiB less one page, all that 32-bit addresses reach. */
  memoryLimitBytes?: number | undefined;
  /** SIMD build. Default: "relaxed" (fused multiply-add) where the engine has it, else "plain". */
  simd?: Simd | undefined;
}

const MAX_PAGES = 65536;
const MAX_BYTES = (MAX_PAGES - 1) * 65536;

/**
 * Opens the CPU engine.
 *
 * @throws {RangeError} for a number of threads outside 1 to 64
 * @throws {DeviceError} kind "unavailable" when several threads are asked for where memory cannot be shared (a page without
 * cross-origin isolation) or where waiting is not allowed (a page's main thread)
 */
export async function openWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  const { simd = bestSimd(), memoryLimitBytes = MAX_BYTES } = options;
  const threads = options.threads ??
    (canUseThreads() ? Math.min(MAX_THREADS, navigator.hardwareConcurrency) : 1);
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new RangeError(
      `Cannot open the WASM device as threads must be an integer from 1 to ${MAX_THREADS}: got ${threads}`,
    );
  }
  if (threads > 1 && !canUseThreads()) {
    throw new DeviceError(
      "unavailable",
      `Cannot open the WASM device with ${threads} threads as this context cannot share memory and wait: ` +
        "open it in a worker of a cross-origin isolated page (COOP and COEP headers), or with threads: 1",
    );
  }
  const shared = threads > 1;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES, shared });
  const pool = await KernelPool.start(compileKernels(simd, shared), memory, threads);
  return new WasmDevice(
    new Arena(memory, RESERVED_BYTES, Math.min(memoryLimitBytes, MAX_BYTES)),
    pool,
    simd,
  );
}

/** Whether memory can be shared and this thread may wait for others. */
function canUseThreads(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

class WasmDevice implements Device {
  readonly info: DeviceInfo;
  readonly #engine: WasmEngine;
  readonly #kernels: ReturnType<typeof wasmKernels>;
  #liveBuffers = 0;
  #closed = false;

  constructor(arena: Arena, pool: KernelPool, simd: Simd) {
    this.#engine = new WasmEngine(arena, pool);
    this.#kernels = wasmKernels(this.#engine);
    const features = [simd === "relaxed" ? "relaxed-simd" : "simd"];
    if (pool.threads > 1) features.push("threads");
    this.info = {
      kind: "wasm",
      name: `CPU, ${pool.threads} thread${pool.threads > 1 ? "s" : ""}`,
      software: false,
      threads: pool.threads,
      features,
    };
  }

  get memory(): MemoryStats {
    const { liveBytes, peakBytes, freeBytes, limitBytes } = this.#engine.arena;
    return {
      liveBuffers: this.#liveBuffers,
      liveBytes,
      peakBytes,
      pooledBytes: freeBytes,
      limitBytes,
    };
  }

  alloc(byteLength: number): WasmBuffer {
    this.#assertOpen();
    const buffer = new WasmBuffer(this.#engine.arena.alloc(byteLength), byteLength);
    this.#liveBuffers++;
    return buffer;
  }

  free(buffer: WasmBuffer): void {
    if (this.#closed) return;
    if (buffer.freed) throw new RangeError("Cannot free a buffer twice");
    this.#engine.dropPacks(buffer);
    this.#engine.arena.free(buffer.address);
    buffer.freed = true;
    this.#liveBuffers--;
  }

  write(buffer: WasmBuffer, byteOffset: number, bytes: Uint8Array): void {
    this.#assertInside(buffer, byteOffset, bytes.length, "write");
    this.#engine.dropPacks(buffer);
    new Uint8Array(this.#engine.arena.memory.buffer, buffer.address + byteOffset, bytes.length).set(
      bytes,
    );
  }

  read(
    buffer: WasmBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertInside(buffer, byteOffset, byteLength, "read");
    const copy = new Uint8Array(byteLength);
    copy.set(
      new Uint8Array(this.#engine.arena.memory.buffer, buffer.address + byteOffset, byteLength),
    );
    return Promise.resolve(copy);
  }

  run<K extends OpName>(
    op: K,
    inputs: OpInputs<K, View>,
    outputs: OpOutputs<K, View>,
    params: OpParams<K>,
  ): void {
    this.#assertOpen();
    for (const view of Object.values<View>(outputs)) {
      this.#engine.dropPacks(view.buffer as WasmBuffer);
    }
    this.#kernels[op](
      inputs as OpInputs<K, View<WasmBuffer>>,
      outputs as OpOutputs<K, View<WasmBuffer>>,
      params,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) this.#engine.stop();
    this.#closed = true;
    return Promise.resolve();
  }

  #assertOpen(): void {
    if (this.#closed) throw new DeviceError("lost", "Cannot use the WASM device as it was closed");
  }

  #assertInside(buffer: WasmBuffer, byteOffset: number, byteLength: number, act: string): void {
    this.#assertOpen();
    if (buffer.freed || byteOffset < 0 || byteOffset + byteLength > buffer.byteLength) {
      throw new RangeError(
        `Cannot ${act} bytes ${byteOffset}..${
          byteOffset + byteLength
        } of a buffer of ${buffer.byteLength}` +
          (buffer.freed ? " that was freed" : ""),
      );
    }
  }
}
