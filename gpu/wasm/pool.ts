/**
 * Runs the chunks of one kernel over several threads that share one memory. The calling thread takes chunks as well; which thread
 * takes which chunk changes nothing in the numbers, as chunks are independent.
 */
import {
  instantiateKernels,
  type WasmKernel,
  type WasmKernelName,
  type WasmKernels,
  type WasmSizes,
} from "./module.ts";

/** Words of the control block at address 0 of the memory. */
const CONTROL = {
  generation: 0,
  kernel: 1,
  args: 2,
  chunks: 3,
  next: 4,
  done: 5,
  stop: 6,
} as const;

/** First address behind the control block. */
export const CONTROL_BYTES = 64;

/** What a worker needs to start. */
interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly names: readonly WasmKernelName[];
  readonly scratchWord: number;
  readonly control: typeof CONTROL;
}

/**
 * A pool of threads over one shared memory; with one thread it has no workers and needs no shared memory.
 * The word at byte `CONTROL_BYTES + 4 i` holds the address of thread i's scratch memory.
 */
export class KernelPool {
  /** Threads, the calling one included. */
  readonly threads: number;
  /** Sizes that the kernels were compiled with. */
  readonly sizes: WasmSizes;
  readonly #kernels: WasmKernels;
  readonly #names: readonly WasmKernelName[];
  readonly #control: Int32Array;
  readonly #workers: readonly Worker[];

  private constructor(
    { kernels, sizes }: ReturnType<typeof instantiateKernels>,
    memory: WebAssembly.Memory,
    workers: readonly Worker[],
  ) {
    this.#kernels = kernels;
    this.sizes = sizes;
    this.#names = kernelNames(kernels);
    this.#control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / 4);
    this.#workers = workers;
    this.threads = workers.length + 1;
  }

  /** Starts `threads - 1` workers; resolves when all are ready. */
  static async start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
  ): Promise<KernelPool> {
    const instance = instantiateKernels(module, memory);
    const names = kernelNames(instance.kernels);
    const workers = await Promise.all(
      Array.from(
        { length: threads - 1 },
        (_, i) =>
          startWorker({
            module,
            memory,
            names,
            scratchWord: CONTROL_BYTES / 4 + i + 1,
            control: CONTROL,
          }),
      ),
    );
    return new KernelPool(instance, memory, workers);
  }

  /** Runs chunks 0 .. chunks-1 of a kernel and returns when all are done. */
  run(name: WasmKernelName, args: number, chunks: number, scratch: number): void {
    const kernel = this.#kernels[name];
    if (this.#workers.length === 0 || chunks === 1) {
      for (let chunk = 0; chunk < chunks; chunk++) kernel(args, chunk, scratch);
      return;
    }
    const control = this.#control;
    control[CONTROL.kernel] = this.#names.indexOf(name);
    control[CONTROL.args] = args;
    control[CONTROL.chunks] = chunks;
    Atomics.store(control, CONTROL.next, 0);
    Atomics.store(control, CONTROL.done, 0);
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    takeChunks(control, kernel, args, chunks, scratch);
    let done = Atomics.load(control, CONTROL.done);
    while (done < this.#workers.length) {
      Atomics.wait(control, CONTROL.done, done);
      done = Atomics.load(control, CONTROL.done);
    }
  }

  /** Stops the workers. */
  stop(): void {
    if (this.#workers.length === 0) return;
    Atomics.store(this.#control, CONTROL.stop, 1);
    Atomics.add(this.#control, CONTROL.generation, 1);
    Atomics.notify(this.#control, CONTROL.generation);
    for (const worker of this.#workers) worker.terminate();
  }
}

function kernelNames(kernels: WasmKernels): WasmKernelName[] {
  return (Object.keys(kernels) as WasmKernelName[]).sort();
}

function takeChunks(
  control: Int32Array,
  kernel: WasmKernel,
  args: number,
  chunks: number,
  scratch: number,
): void {
  for (;;) {
    const chunk = Atomics.add(control, CONTROL.next, 1);
    if (chunk >= chunks) return;
    kernel(args, chunk, scratch);
  }
}

/** The worker comes from this text, so that it needs no file of its own when the library is bundled. */
function startWorker(start: WorkerStart): Promise<Worker> {
  const url = URL.createObjectURL(new Blob([`(${workerMain})()`], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = () => {
      URL.revokeObjectURL(url);
      resolve(worker);
    };
    worker.onerror = (event) =>
      reject(new Error(`Cannot start a compute thread: ${event.message}`));
    worker.postMessage(start);
  });
}

/** Body of a worker. It is sent as text, so it refers to nothing outside itself. */
function workerMain(): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<WorkerStart>) => void;
    postMessage(message: string): void;
    close(): void;
  };
  scope.onmessage = ({ data: { module, memory, names, scratchWord, control: at } }) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const kernels = names.map((name) => exports[name] as WasmKernel);
    const control = new Int32Array(memory.buffer, 0, 4096);
    let seen = Atomics.load(control, at.generation);
    scope.postMessage("ready");
    for (;;) {
      for (let spin = 0; spin < 2000 && Atomics.load(control, at.generation) === seen; spin++);
      Atomics.wait(control, at.generation, seen);
      seen = Atomics.load(control, at.generation);
      if (Atomics.load(control, at.stop) === 1) return scope.close();
      const kernel = kernels[control[at.kernel]!]!;
      const chunks = control[at.chunks]!;
      for (
        let c = Atomics.add(control, at.next, 1);
        c < chunks;
        c = Atomics.add(control, at.next, 1)
      ) {
        kernel(control[at.args]!, c, control[scratchWord]! >>> 0);
      }
      Atomics.add(control, at.done, 1);
      Atomics.notify(control, at.done);
    }
  };
}
