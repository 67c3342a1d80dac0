/** Buffers and launches of the WASM device: the ground its kernels stand on. */
import type { DeviceBuffer, View } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import type { Arena } from "./arena.ts";
import type { WasmKernelName, WasmSizes } from "./module.ts";
import { CONTROL_BYTES, type KernelPool } from "./pool.ts";

/** Most threads a device may have: the size of the table of scratch addresses. */
export const MAX_THREADS = 64;
const ARGS_AT = CONTROL_BYTES + 4 * MAX_THREADS;
/** First address the arena may use; below lie control block, scratch table, arguments and the module's own tables. */
export const RESERVED_BYTES = 65536;

/** Memory of the WASM device. */
export class WasmBuffer implements DeviceBuffer {
  readonly byteLength: number;
  /** Byte offset in the device's memory. */
  readonly address: number;
  freed = false;
  /** Packed copies for matrix products, by what was packed; dropped when the buffer changes. */
  readonly packs: Map<string, number> = new Map();

  constructor(address: number, byteLength: number) {
    this.address = address;
    this.byteLength = byteLength;
  }
}

/** A view as the kernels see it. */
export type WasmView = View<WasmBuffer>;

/** Address of a view's first element. */
export function addressOf(view: WasmView): number {
  return view.buffer.address + view.byteOffset;
}

/** Address of an optional input; 0 stands for "not given". */
export function addressOrZero(view: WasmView | undefined): number {
  return view === undefined ? 0 : addressOf(view);
}

/** A view as rows of its last axis. */
export function matrix(view: WasmView): [rows: number, width: number] {
  const width = view.shape.at(-1) ?? 1;
  return [width === 0 ? 0 : sizeOf(view.shape) / width, width];
}

const floatBits = new Float32Array(1);
const intBits = new Uint32Array(floatBits.buffer);

/** The 32 bits of a float as an argument word. */
export function bitsOf(value: number): number {
  floatBits[0] = value;
  return intBits[0]!;
}

/** Launches kernels and lends them memory. */
export class WasmEngine {
  /** Allocator. */
  readonly arena: Arena;
  readonly #pool: KernelPool;
  readonly #scratch: number[] = [];
  #scratchBytes = 0;

  constructor(arena: Arena, pool: KernelPool) {
    this.arena = arena;
    this.#pool = pool;
  }

  /** Sizes that the kernels were compiled with. */
  get sizes(): WasmSizes {
    return this.#pool.sizes;
  }

  /** Threads that compute. */
  get threads(): number {
    return this.#pool.threads;
  }

  /** Runs a kernel over its chunks; every thread gets at least `scratchBytes` of its own scratch memory. */
  launch(name: WasmKernelName, words: readonly number[], chunks: number, scratchBytes = 256): void {
    if (chunks === 0) return;
    this.#ensureScratch(scratchBytes);
    new Uint32Array(this.arena.memory.buffer, ARGS_AT, words.length).set(words);
    this.#pool.run(name, ARGS_AT, chunks, this.#scratch[0]!);
  }

  /** Runs a row kernel: words are those from word 2 on; rows are cut so that all threads have work. */
  launchRows(
    name: WasmKernelName,
    rows: number,
    words: readonly number[],
    scratchBytes = 256,
  ): void {
    const rowsPerChunk = Math.max(1, Math.min(256, Math.ceil(rows / (this.threads * 4))));
    this.launch(name, [rows, rowsPerChunk, ...words], Math.ceil(rows / rowsPerChunk), scratchBytes);
  }

  /** Runs a kernel over all elements of a view; words are those from word 2 on. */
  launchElements(name: WasmKernelName, { shape }: WasmView, words: readonly number[]): void {
    const size = sizeOf(shape);
    const perChunk = 16384; // 64 KB of each operand
    this.launch(name, [size, perChunk, ...words], Math.ceil(size / perChunk));
  }

  /** The floats of a view, as they lie in memory now. */
  floats(view: WasmView): Float32Array {
    return new Float32Array(this.arena.memory.buffer, addressOf(view), sizeOf(view.shape));
  }

  /** The unsigned integers of a view, as they lie in memory now. */
  integers(view: WasmView): Uint32Array {
    return new Uint32Array(this.arena.memory.buffer, addressOf(view), sizeOf(view.shape));
  }

  /** Lends memory with the given words in it to `body`. */
  withWords<R>(words: Uint32Array, body: (address: number) => R): R {
    return this.withMemory(Math.max(words.byteLength, 4), (address) => {
      new Uint32Array(this.arena.memory.buffer, address, words.length).set(words);
      return body(address);
    });
  }

  /** Lends memory to `body`. */
  withMemory<R>(byteLength: number, body: (address: number) => R): R {
    const address = this.arena.alloc(byteLength);
    try {
      return body(address);
    } finally {
      this.arena.free(address);
    }
  }

  /** Forgets the packed copies of a buffer that is about to change or to go. */
  dropPacks(buffer: WasmBuffer): void {
    for (const address of buffer.packs.values()) this.arena.free(address);
    buffer.packs.clear();
  }

  /** Stops the threads. */
  stop(): void {
    this.#pool.stop();
  }

  #ensureScratch(byteLength: number): void {
    if (byteLength <= this.#scratchBytes) return;
    for (const address of this.#scratch.splice(0)) this.arena.free(address);
    this.#scratchBytes = 0;
    for (let thread = 0; thread < this.threads; thread++) {
      this.#scratch.push(this.arena.alloc(byteLength));
    }
    this.#scratchBytes = byteLength;
    new Uint32Array(this.arena.memory.buffer, CONTROL_BYTES, this.threads).set(this.#scratch);
  }
}
