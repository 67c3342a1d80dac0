/** Tensors with lexical ownership. */
import type { Device, DeviceBuffer, View } from "./device.ts";
import { type Dtype, ELEMENT_BYTES, type HostArrays, type Shape, sizeOf } from "./dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams } from "./ops.ts";
import type { Spec } from "./rule.ts";

/** A second tensor over the memory of another, which gives it back when disposed; made by the class, for {@linkcode takeOver} alone. */
let owning: (tensor: Tensor) => Tensor;

/**
 * A dense row-major array on a device. Own it with `using`, or inside {@linkcode scope}; a view (`rows`, `reshape`) borrows the
 * memory of the tensor it was made from and ends with it.
 *
 * @example
 * ```ts
 * import { openWasmDevice, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using x = Tensor.from(device, "f32", [2, 2], Float32Array.of(1, 2, 3, 4));
 * assert.deepEqual(await x.rows(1, 2).data(), Float32Array.of(3, 4));
 * ```
 */
export class Tensor implements View {
  /** Device that holds the elements. */
  readonly device: Device;
  /** Memory. */
  readonly buffer: DeviceBuffer;
  /** First byte in `buffer`. */
  readonly byteOffset: number;
  /** Axes, outermost first. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: Dtype;
  readonly #owner: boolean;

  static {
    owning = ({ device, buffer, byteOffset, shape, dtype }) =>
      new Tensor(device, buffer, byteOffset, { shape, dtype }, true);
  }

  private constructor(
    device: Device,
    buffer: DeviceBuffer,
    byteOffset: number,
    spec: Spec,
    owner: boolean,
  ) {
    this.device = device;
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.#owner = owner;
  }

  /** Reserves a tensor with undefined contents; the innermost open {@linkcode scope} of the device will free it. */
  static empty(device: Device, shape: Shape, dtype: Dtype = "f32"): Tensor {
    const bytes = Math.max(sizeOf(shape), 1) * ELEMENT_BYTES;
    const made = new Tensor(device, device.alloc(bytes), 0, { shape, dtype }, true);
    openScopes.get(device)?.at(-1)?.add(made);
    return made;
  }

  /** Copies host numbers to a device. Throws `RangeError` when their number is not the shape's. */
  static from<D extends Dtype>(
    device: Device,
    dtype: D,
    shape: Shape,
    data: HostArrays[D],
  ): Tensor {
    if (data.length !== sizeOf(shape)) {
      throw new RangeError(
        `Cannot make a tensor [${shape}] as it needs ${sizeOf(shape)} elements: got ${data.length}`,
      );
    }
    const made = Tensor.empty(device, shape, dtype);
    device.write(made.buffer, 0, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return made;
  }

  /** A tensor of zeros. */
  static zeros(device: Device, shape: Shape): Tensor {
    const made = Tensor.empty(device, shape);
    const bytes = made.size * ELEMENT_BYTES;
    const zeros = new Uint8Array(Math.min(bytes, ZEROS_BYTES));
    for (let at = 0; at < bytes; at += ZEROS_BYTES) {
      device.write(made.buffer, at, zeros.subarray(0, Math.min(ZEROS_BYTES, bytes - at)));
    }
    return made;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether the memory was given back. */
  get disposed(): boolean {
    return this.buffer.freed;
  }

  /** Rows `start .. end` of the first axis, without copying. */
  rows(start: number, end: number): Tensor {
    const [length = 1, ...rest] = this.shape;
    if (!(start >= 0 && start <= end && end <= length)) {
      throw new RangeError(
        `Cannot take rows ${start}..${end} as the tensor has shape [${this.shape}]`,
      );
    }
    const offset = this.byteOffset + start * sizeOf(rest) * ELEMENT_BYTES;
    const spec = { shape: [end - start, ...rest], dtype: this.dtype };
    const view = new Tensor(this.device, this.buffer, offset, spec, false);
    recorderOf(this.device)?.viewed(this, view, start);
    return view;
  }

  /** The same elements under another shape, without copying. */
  reshape(shape: Shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new RangeError(
        `Cannot reshape [${this.shape}] to [${shape}] as the number of elements differs`,
      );
    }
    const spec = { shape, dtype: this.dtype };
    const view = new Tensor(this.device, this.buffer, this.byteOffset, spec, false);
    recorderOf(this.device)?.viewed(this, view, 0);
    return view;
  }

  /** Reads the elements back; the one place where a program waits for a device. */
  async data(): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.#bytes("f32")).buffer);
  }

  /** Reads unsigned integers back. */
  async integers(): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array((await this.#bytes("u32")).buffer);
  }

  #bytes(dtype: Dtype): Promise<Uint8Array<ArrayBuffer>> {
    if (this.dtype !== dtype) throw new TypeError(`Cannot read a ${this.dtype} tensor as ${dtype}`);
    assertAlive(this, "read");
    return this.device.read(this.buffer, this.byteOffset, this.size * ELEMENT_BYTES);
  }

  /** Gives the memory back, unless a tape still needs it; a view gives nothing back, and a second call does nothing. */
  [Symbol.dispose](): void {
    if (!this.#owner || this.buffer.freed) return;
    const hold = holds.get(this.buffer);
    if (hold === undefined) this.device.free(this.buffer);
    else hold.orphaned = true;
  }
}

const ZEROS_BYTES = 1 << 20;

/** How often a buffer was retained, and whether its owner is gone. */
interface Hold {
  count: number;
  orphaned: boolean;
}

const holds = new WeakMap<DeviceBuffer, Hold>();

/** Keeps a tensor's memory alive past its owner's disposal, until {@linkcode release}. */
export function retain({ buffer }: Tensor): void {
  const hold = holds.get(buffer);
  if (hold === undefined) holds.set(buffer, { count: 1, orphaned: false });
  else hold.count++;
}

/** Undoes one {@linkcode retain}; the last one frees memory whose owner is gone. */
export function release({ buffer, device }: Tensor): void {
  const hold = holds.get(buffer);
  if (hold === undefined || --hold.count > 0) return;
  holds.delete(buffer);
  if (hold.orphaned) device.free(buffer);
}

/**
 * Takes over retained memory that this tensor alone uses and whose owner is gone, without copying: the new owner belongs to the innermost
 * open {@linkcode scope}. Undefined where someone else uses the memory too.
 */
export function takeOver(tensor: Tensor): Tensor | undefined {
  const { buffer, device } = tensor;
  const hold = holds.get(buffer);
  if (hold === undefined || !hold.orphaned || hold.count !== 1) return undefined;
  holds.delete(buffer);
  const owner = owning(tensor);
  openScopes.get(device)?.at(-1)?.add(owner);
  return owner;
}

/** What listens to the ops of a device: a tape. */
export interface Recorder {
  /** An op was enqueued. */
  ran<K extends OpName>(
    op: K,
    inputs: OpInputs<K, Tensor>,
    outputs: OpOutputs<K, Tensor>,
    params: OpParams<K>,
  ): void;
  /** A view of a tensor was made, from `start` of its first axis on (0 for another shape). */
  viewed(of: Tensor, view: Tensor, start: number): void;
}

const recorders = new WeakMap<Device, Recorder | undefined>();

/** The tape that records a device's ops at the moment. */
export function recorderOf(device: Device): Recorder | undefined {
  return recorders.get(device);
}

/** Runs `body` with another recorder, or with none. */
export function withRecorder<R>(
  device: Device,
  recorder: Recorder | undefined,
  body: () => R,
): R {
  const before = recorders.get(device);
  recorders.set(device, recorder);
  try {
    return body();
  } finally {
    recorders.set(device, before);
  }
}

const openScopes = new WeakMap<Device, Set<Tensor>[]>();

/**
 * Runs `body` and frees every tensor made on `device` inside it, but those it returns (a tensor, or an object or array of them).
 * Synchronous, as ops only enqueue. A returned tensor belongs to the enclosing scope, if there is one.
 *
 * @example
 * ```ts
 * import { openWasmDevice, run, scope, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using y = scope(device, () => {
 *   const x = Tensor.from(device, "f32", [1, 2], Float32Array.of(3, 4));
 *   const doubled = run("binary", { a: x, b: x }, { fn: "add" }).y;
 *   return run("l2_normalize", { x: doubled }, { eps: 1e-12 }).y;
 * });
 * assert.equal(device.memory.liveBuffers, 1); // y alone
 * ```
 *
 * @param device Device whose tensors are freed
 * @param body What to run; must not be async
 * @returns What `body` returns
 * @throws {TypeError} When `body` returns a Promise
 */
export function scope<R>(device: Device, body: () => R): R {
  const stack = openScopes.get(device) ?? [];
  openScopes.set(device, stack);
  const made = new Set<Tensor>();
  stack.push(made);
  const kept = new Set<DeviceBuffer>();
  try {
    const result = body();
    for (const tensor of tensorsIn(result)) kept.add(tensor.buffer);
    return result;
  } finally {
    stack.pop();
    for (const tensor of made) {
      if (kept.has(tensor.buffer)) stack.at(-1)?.add(tensor);
      else tensor[Symbol.dispose]();
    }
  }
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (value instanceof Promise) {
    throw new TypeError(
      "Cannot return a Promise from scope() as tensors would be freed before it settles",
    );
  }
  if (value instanceof Map) return [...value.values()].flatMap(tensorsIn);
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (value !== null && typeof value === "object") return Object.values(value).flatMap(tensorsIn);
  return [];
}

/** Throws a `TypeError` when a tensor's memory was given back. */
export function assertAlive(tensor: Tensor, act: string): void {
  if (tensor.buffer.freed) {
    throw new TypeError(`Cannot ${act} a tensor [${tensor.shape}] as it was disposed`);
  }
}
