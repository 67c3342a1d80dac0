/** What every compute device promises: the one contract that the WebGPU and the WASM engine fulfil. */
import type { Dtype, Shape } from "./dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams } from "./ops.ts";

/** Kinds of devices. */
export type DeviceKind = "webgpu" | "wasm";

/** Memory of a device, opaque to all but the device that made it. */
export interface DeviceBuffer {
  /** Usable bytes. */
  readonly byteLength: number;
  /** True from `free` on; using the buffer then is an error. */
  readonly freed: boolean;
}

/** A dense row-major part of a buffer as a kernel sees it. */
export interface View<B extends DeviceBuffer = DeviceBuffer> {
  /** Memory the elements lie in. */
  readonly buffer: B;
  /** First byte; a multiple of 4. */
  readonly byteOffset: number;
  /** Axes. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: Dtype;
}

/** Counters of a device's memory. */
export interface MemoryStats {
  /** Buffers allocated and not freed. */
  readonly liveBuffers: number;
  /** Bytes of those. */
  readonly liveBytes: number;
  /** Largest value `liveBytes` had. */
  readonly peakBytes: number;
  /** Bytes freed and kept for reuse. */
  readonly pooledBytes: number;
  /** Allocations beyond this many bytes are refused with a `DeviceError` of kind "memory". */
  readonly limitBytes: number;
}

/** What a person wants to know about a device. */
export interface DeviceInfo {
  /** Engine. */
  readonly kind: DeviceKind;
  /** Adapter or CPU description. */
  readonly name: string;
  /** True where a CPU emulates the GPU: right numbers, useless speed. */
  readonly software: boolean;
  /** Threads that compute (1 on WebGPU). */
  readonly threads: number;
  /** Features in use, such as "relaxed-simd" or "shader-f16". */
  readonly features: readonly string[];
}

/**
 * A compute device. `run`, `alloc`, `free` and `write` enqueue and return at once, in order; only `read` waits.
 * Results of an op depend on its inputs alone: not on the number of threads, on what else is in the batch, or on memory reuse.
 */
export interface Device {
  /** Description. */
  readonly info: DeviceInfo;
  /** Memory counters. */
  readonly memory: MemoryStats;
  /** Reserves memory; contents are undefined. Throws `DeviceError` of kind "memory" past the limit. */
  alloc(byteLength: number): DeviceBuffer;
  /** Gives memory back to the pool; freeing twice is an error. */
  free(buffer: DeviceBuffer): void;
  /** Copies host bytes into a buffer. */
  write(buffer: DeviceBuffer, byteOffset: number, bytes: Uint8Array): void;
  /** Copies bytes to the host after everything enqueued before is done. */
  read(
    buffer: DeviceBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Enqueues one operation; shapes were checked and outputs allocated by the caller ({@linkcode run} in tensor.ts). */
  run<K extends OpName>(
    op: K,
    inputs: OpInputs<K, View>,
    outputs: OpOutputs<K, View>,
    params: OpParams<K>,
  ): void;
  /** Waits for what is enqueued, stops workers, frees all memory. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A device's implementation of one op; B is the device's own buffer type. */
export type Kernel<K extends OpName, B extends DeviceBuffer> = (
  inputs: OpInputs<K, View<B>>,
  outputs: OpOutputs<K, View<B>>,
  params: OpParams<K>,
) => void;

/** All kernels of a device: leaving one out does not compile. */
export type KernelTable<B extends DeviceBuffer> = { readonly [K in OpName]: Kernel<K, B> };
