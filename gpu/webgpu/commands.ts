/** Records dispatches and copies in order, submits them in batches, and reads results back. */
import type { View } from "../device.ts";
import { ELEMENT_BYTES, type Shape, sizeOf } from "../dtype.ts";
import type { BufferPool, WebGpuBuffer } from "./memory.ts";
import { foldGrid, PARAM_STRIDE, paramNames, type Program, wgslOf } from "./program.ts";

/** What a program runs on. */
export interface Dispatch {
  /** View of each binding of the program. */
  readonly views: Readonly<Record<string, View<WebGpuBuffer>>>;
  /** Value of each parameter of the program. */
  readonly params: Readonly<Record<string, number>>;
  /** Workgroups; none is no work. */
  readonly groups: number;
}

/** What kernels need of a device. */
export interface Dispatcher {
  /** Enqueues one run of a program. */
  dispatch(program: Program, work: Dispatch): void;
  /** Lends f32 memory of these shapes to what `use` enqueues; work enqueued later may overwrite it. */
  scratch(shapes: readonly Shape[], use: (...memory: View<WebGpuBuffer>[]) => void): void;
}

/** Dispatches in one submission: enough to hide its cost, few enough that the GPU starts early and no watchdog barks. */
const BATCH = 32;
/** WebGPU's default alignment of storage bindings. */
const BINDING_ALIGNMENT = 256;

interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Names and element sizes, in bytes, of the bindings. */
  readonly bindings: readonly (readonly [name: string, elementBytes: number])[];
  /** Names of the words of the parameter block. */
  readonly params: readonly string[];
}

/** The one queue of a device. */
export class Commands {
  readonly #device: GPUDevice;
  readonly #compiled = new Map<Program, Compiled>();
  readonly #uniforms: GPUBuffer;
  readonly #words = new Uint32Array(BATCH * PARAM_STRIDE / 4);
  readonly #floats = new Float32Array(this.#words.buffer);
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #recorded = 0;
  #submission = 1;

  /** Starts with nothing recorded. */
  constructor(device: GPUDevice) {
    this.#device = device;
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#uniforms = device.createBuffer({ size: this.#words.byteLength, usage });
  }

  /** Enqueues one run of a program. */
  dispatch(program: Program, { views, params, groups }: Dispatch): void {
    if (groups === 0) return;
    const compiled = this.#compile(program);
    const values: Record<string, number> = { ...params, groups };
    const entries: GPUBindGroupEntry[] = [
      { binding: 0, resource: { buffer: this.#uniforms, size: PARAM_STRIDE } },
    ];
    for (const [name, elementBytes] of compiled.bindings) {
      const view = views[name]!;
      const { resource, first } = bindingOf(view, elementBytes);
      values[`${name}_at`] = first;
      entries.push({ binding: entries.length, resource });
      view.buffer.lastUse = this.#submission;
    }
    const offset = PARAM_STRIDE * this.#recorded++;
    for (const [i, name] of compiled.params.entries()) {
      const words = program.params[name] === "f32" ? this.#floats : this.#words;
      words[offset / 4 + i] = values[name]!;
    }
    const pass = this.#computePass();
    const bindGroup = this.#device.createBindGroup({ layout: compiled.layout, entries });
    pass.setPipeline(compiled.pipeline);
    pass.setBindGroup(0, bindGroup, [offset]);
    pass.dispatchWorkgroups(...foldGrid(groups));
    if (this.#recorded === BATCH) this.flush();
  }

  /** Submits what is recorded. */
  flush(): void {
    if (!this.#encoder) return;
    this.#pass?.end();
    const { queue } = this.#device;
    const used = this.#recorded * PARAM_STRIDE / 4;
    if (used > 0) queue.writeBuffer(this.#uniforms, 0, this.#words, 0, used);
    queue.submit([this.#encoder.finish()]);
    this.#encoder = this.#pass = undefined;
    this.#recorded = 0;
    this.#submission++;
  }

  /** Copies host bytes into a buffer, after the recorded work that uses its memory. */
  write(buffer: WebGpuBuffer, byteOffset: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (buffer.lastUse === this.#submission) this.flush();
    this.#device.queue.writeBuffer(buffer.gpu, byteOffset, bytes);
  }

  /** Copies bytes to the host once everything recorded so far is done; several reads overlap. */
  async read(
    buffer: WebGpuBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.#device.createBuffer({ size: byteLength, usage });
    this.#pass?.end();
    this.#pass = undefined;
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(buffer.gpu, byteOffset, staging, 0, byteLength);
    this.flush();
    try {
      await staging.mapAsync(GPUMapMode.READ);
      return new Uint8Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  /** Frees what the queue itself owns. */
  destroy(): void {
    this.#uniforms.destroy();
  }

  #computePass(): GPUComputePassEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    return this.#pass;
  }

  #compile(program: Program): Compiled {
    const known = this.#compiled.get(program);
    if (known) return known;
    const device = this.#device;
    const visibility = GPUShaderStage.COMPUTE;
    const { read, write } = program;
    const types = [
      ...Object.keys(read).map(() => "read-only-storage" as const),
      ...Object.keys(write).map(() => "storage" as const),
    ];
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...types.map((type, at) => ({ binding: at + 1, visibility, buffer: { type } })),
      ],
    });
    const module = device.createShaderModule({ label: program.label, code: wgslOf(program) });
    const pipeline = device.createComputePipeline({
      label: program.label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    const compiled: Compiled = {
      pipeline,
      layout,
      bindings: Object.entries({ ...read, ...write }).map(
        ([name, element]) => [name, element === "vec4f" ? 16 : 4],
      ),
      params: paramNames(program),
    };
    this.#compiled.set(program, compiled);
    return compiled;
  }
}

/** The queue of a device, and scratch memory from its pool. */
export function dispatcherOf(commands: Commands, pool: BufferPool): Dispatcher {
  return {
    dispatch: (program, work) => commands.dispatch(program, work),
    scratch(shapes, use) {
      const memory: View<WebGpuBuffer>[] = [];
      try {
        for (const shape of shapes) {
          const buffer = pool.alloc(sizeOf(shape) * ELEMENT_BYTES);
          memory.push({ buffer, byteOffset: 0, shape, dtype: "f32" });
        }
        use(...memory);
      } finally {
        for (const { buffer } of memory) pool.free(buffer);
      }
    },
  };
}

/** The aligned window of a buffer that holds a view, and the view's first element in it. */
function bindingOf(
  view: View<WebGpuBuffer>,
  elementBytes: number,
): { resource: GPUBufferBinding; first: number } {
  const offset = Math.floor(view.byteOffset / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
  const inside = view.byteOffset - offset;
  const bytes = inside + Math.max(1, sizeOf(view.shape)) * ELEMENT_BYTES;
  const size = Math.ceil(bytes / 16) * 16; // size classes are multiples of 64
  return { resource: { buffer: view.buffer.gpu, offset, size }, first: inside / elementBytes };
}
