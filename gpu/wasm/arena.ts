/** Memory management inside one WebAssembly memory: best fit with neighbours merged, growing on demand. */
import { DeviceError } from "../errors.ts";

const ALIGN = 64; // bytes: a cache line
const SLACK = 64; // bytes past each block that kernels may read, never write
const PAGE = 65536;

/** A run of bytes of the memory. */
interface Block {
  start: number;
  end: number;
}

/** Allocator over a `WebAssembly.Memory`. Addresses are byte offsets, aligned to 64. */
export class Arena {
  /** The memory. */
  readonly memory: WebAssembly.Memory;
  /** Most bytes that may be allocated at once. */
  readonly limitBytes: number;
  /** Bytes allocated now. */
  liveBytes = 0;
  /** Largest value of `liveBytes`. */
  peakBytes = 0;
  /** Free blocks in ascending order, never adjacent. */
  #free: Block[] = [];
  #top: number;
  readonly #sizes = new Map<number, number>();

  /** Manages the bytes from `reserved` up. */
  constructor(memory: WebAssembly.Memory, reserved: number, limitBytes: number) {
    this.memory = memory;
    this.limitBytes = limitBytes;
    this.#top = reserved;
  }

  /** Bytes that were freed and can be given out again without growing. */
  get freeBytes(): number {
    return this.#free.reduce((total, block) => total + block.end - block.start, 0);
  }

  /** Reserves bytes; contents are undefined. Throws `DeviceError` of kind "memory" past the limit. */
  alloc(byteLength: number): number {
    const size = Math.ceil((byteLength + SLACK) / ALIGN) * ALIGN;
    if (this.liveBytes + size > this.limitBytes) throw this.#overLimit(byteLength);
    const start = this.#takeFree(size) ?? this.#extend(size, byteLength);
    this.#sizes.set(start, size);
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return start;
  }

  /** Gives a block back. */
  free(start: number): void {
    const size = this.#sizes.get(start);
    if (size === undefined) {
      throw new RangeError(`Cannot free address ${start} as it is not allocated`);
    }
    this.#sizes.delete(start);
    this.liveBytes -= size;
    this.#insert({ start, end: start + size });
  }

  #takeFree(size: number): number | undefined {
    let best = -1;
    let bestSize = Infinity;
    this.#free.forEach((block, i) => {
      const length = block.end - block.start;
      if (length >= size && length < bestSize) [best, bestSize] = [i, length];
    });
    const block = this.#free[best];
    if (block === undefined) return undefined;
    const { start } = block;
    if (bestSize === size) this.#free.splice(best, 1);
    else block.start += size;
    return start;
  }

  #extend(size: number, wanted: number): number {
    const last = this.#free.at(-1);
    const atTop = last !== undefined && last.end === this.#top;
    const start = atTop ? last.start : this.#top;
    const missing = start + size - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.memory.grow(Math.ceil(missing / PAGE));
      } catch (cause) {
        throw this.#overLimit(wanted, { cause });
      }
    }
    if (atTop) this.#free.pop();
    this.#top = start + size;
    return start;
  }

  #insert(block: Block): void {
    let at = this.#free.findIndex((other) => other.start > block.start);
    if (at < 0) at = this.#free.length;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    if (after !== undefined && after.start === block.end) {
      after.start = block.start;
      if (before !== undefined && before.end === block.start) {
        before.end = after.end;
        this.#free.splice(at, 1);
      }
    } else if (before !== undefined && before.end === block.start) {
      before.end = block.end;
    } else {
      this.#free.splice(at, 0, block);
    }
  }

  #overLimit(wanted: number, options?: ErrorOptions): DeviceError {
    const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    return new DeviceError(
      "memory",
      `Cannot allocate ${mebibytes(wanted)} on the WASM device as its limit is ${
        mebibytes(this.limitBytes)
      }: ` +
        `${
          mebibytes(this.liveBytes)
        } are in use. Take smaller batches (--batch-tokens) or raise memoryLimitBytes`,
      options,
    );
  }
}
