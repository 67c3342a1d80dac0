/** Memory of a WebGPU device: buffers by size class, kept for reuse, under a limit. */
import type { DeviceBuffer, MemoryStats } from "../device.ts";
import { DeviceError } from "../errors.ts";

/** Memory of a WebGPU device. */
export class WebGpuBuffer implements DeviceBuffer {
  /** The buffer of the API; its size is that of the size class. */
  readonly gpu: GPUBuffer;
  readonly byteLength: number;
  /** Number of the submission that used the memory last. */
  lastUse = 0;
  #freed = false;

  /** Wraps memory of the pool. */
  constructor(gpu: GPUBuffer, byteLength: number) {
    this.gpu = gpu;
    this.byteLength = byteLength;
  }

  get freed(): boolean {
    return this.#freed;
  }

  /** Marks the buffer as given back. */
  release(): void {
    this.#freed = true;
  }
}

/** What a pool may hand out. */
export interface PoolLimits {
  /** Bytes of all live buffers. */
  readonly limitBytes: number;
  /** Bytes of one buffer, a multiple of 16. */
  readonly maxBufferBytes: number;
}

/** Hands out storage buffers and takes them back. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #limits: PoolLimits;
  readonly #beforeDestroy: () => void;
  readonly #live = new Map<WebGpuBuffer, number>(); // -> submission that used the memory before
  readonly #free = new Map<number, { gpu: GPUBuffer; lastUse: number }[]>();
  #liveBytes = 0;
  #peakBytes = 0;
  #pooledBytes = 0;

  /** `beforeDestroy` submits recorded work, which may still name buffers that are about to go. */
  constructor(device: GPUDevice, limits: PoolLimits, beforeDestroy: () => void) {
    this.#device = device;
    this.#limits = limits;
    this.#beforeDestroy = beforeDestroy;
  }

  /** Counters; bytes are those of the size classes. */
  get stats(): MemoryStats {
    return {
      liveBuffers: this.#live.size,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes: this.#pooledBytes,
      limitBytes: this.#limits.limitBytes,
    };
  }

  /** Takes a buffer from the pool or the device. */
  alloc(byteLength: number): WebGpuBuffer {
    const size = Math.min(sizeClass(byteLength), this.#limits.maxBufferBytes);
    this.#assertFits(byteLength, size);
    const reused = this.#free.get(size)?.pop();
    if (reused) this.#pooledBytes -= size;
    else if (this.#liveBytes + this.#pooledBytes + size > this.#budget) this.trim();
    const buffer = new WebGpuBuffer(reused?.gpu ?? this.#create(size), byteLength);
    buffer.lastUse = reused?.lastUse ?? 0;
    this.#live.set(buffer, size);
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  /** Puts a buffer back. */
  free(buffer: WebGpuBuffer): void {
    const size = this.#live.get(buffer);
    if (size === undefined) {
      throw new TypeError(
        "Cannot free a buffer as it was freed before or belongs to another device",
      );
    }
    buffer.release();
    this.#live.delete(buffer);
    this.#liveBytes -= size;
    const shelf = this.#free.get(size) ?? [];
    this.#free.set(size, shelf);
    shelf.push({ gpu: buffer.gpu, lastUse: buffer.lastUse });
    this.#pooledBytes += size;
  }

  /** Gives the memory that is kept for reuse back to the system. */
  trim(): void {
    if (this.#pooledBytes === 0) return;
    this.#beforeDestroy();
    for (const shelf of this.#free.values()) for (const { gpu } of shelf) gpu.destroy();
    this.#free.clear();
    this.#pooledBytes = 0;
  }

  /** Destroys all buffers, live ones too. */
  destroy(): void {
    for (const buffer of [...this.#live.keys()]) this.free(buffer);
    this.trim();
  }

  /** Bytes to hold in all before the pool is emptied: batches of ever other sizes must not fill a GPU with leftovers. */
  get #budget(): number {
    return Math.min(this.#limits.limitBytes, Math.max(2 * this.#peakBytes, 2 ** 28));
  }

  #assertFits(byteLength: number, size: number): void {
    const { limitBytes, maxBufferBytes } = this.#limits;
    if (byteLength > maxBufferBytes) {
      throw new DeviceError(
        "memory",
        `Cannot allocate ${byteLength} bytes as one buffer of this GPU has at most ${maxBufferBytes}: use a smaller batch`,
      );
    }
    if (this.#liveBytes + size > limitBytes) {
      throw new DeviceError(
        "memory",
        `Cannot allocate ${byteLength} bytes as ${this.#liveBytes} of ${limitBytes} are in use: use a smaller batch or raise memoryLimitBytes`,
      );
    }
  }

  #create(size: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    return this.#device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  }
}

/** Smallest size of four steps an octave that holds `byteLength`, at least 256: reuse finds a match and wastes at most a fifth. */
export function sizeClass(byteLength: number): number {
  const step = Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(byteLength, 256)) - 3));
  return Math.max(256, Math.ceil(byteLength / step) * step);
}
