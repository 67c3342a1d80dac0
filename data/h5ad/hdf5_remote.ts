/**
 * Bytes of an http(s) address, read by a thread that waits for them, as HDF5's library must: by a synchronous request where the
 * platform has one (a page's worker), else by a worker that fetches into shared memory (Deno).
 */
import type { SyncReader } from "./hdf5_pages.ts";

/** The most bytes that one request asks for. */
const MOST = 1 << 23;

/** Time after which an answer is given up, in ms. */
const PATIENCE = 120_000;

/** Tries of a request. */
const TRIES = 4;

/** An http(s) address and its length. */
interface RemoteFile {
  /** The address. */
  readonly url: string;
  /** Length in bytes. */
  readonly size: number;
}

/** Says what a server did that it must not. */
function refuse(url: string, range: string, found: string): never {
  throw new Error(`Cannot read ${range} of ${url}: ${found}`);
}

/** One synchronous request. */
function requestSync(url: string, range: string): XMLHttpRequest {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.setRequestHeader("range", range);
  request.send();
  return request;
}

/** Reads by synchronous requests, which a page's worker may make. */
function xhrReader({ url, size }: RemoteFile): SyncReader {
  return {
    size,
    most: MOST,
    read(offset, length) {
      const range = `bytes=${offset}-${offset + length - 1}`;
      let found = "no answer";
      for (let tries = 0; tries < TRIES; tries++) {
        try {
          const request = requestSync(url, range);
          const bytes = new Uint8Array(request.response ?? new ArrayBuffer(0));
          if (request.status === 206 && bytes.length === length) return bytes;
          found = `the server answered ${request.status} with ${bytes.length} bytes`;
          if (request.status !== 429 && request.status < 500) break;
        } catch (error) {
          found = (error as Error).message;
        }
      }
      return refuse(url, range, found);
    },
    close() {},
  };
}

/** Code of the worker: fetches ranges into the shared memory. It stands alone, as it becomes a Blob. */
function fetchWorker(): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent) => void;
    postMessage(message: unknown): void;
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  async function ask(url: string, range: string, tries: number): Promise<Uint8Array> {
    for (let left = tries;; left--) {
      try {
        const answer = await fetch(url, { headers: { range } });
        if (answer.status === 206) return new Uint8Array(await answer.arrayBuffer());
        await answer.body?.cancel();
        const passing = answer.status === 429 || answer.status >= 500;
        if (!passing || left <= 1) throw new RangeError(`the server answered ${answer.status}`);
      } catch (error) {
        if (error instanceof RangeError || left <= 1) throw error;
      }
      await pause(100 * 4 ** (tries - left));
    }
  }
  scope.onmessage = async ({ data: { memory, url, offset, length, tries } }) => {
    const state = new Int32Array(memory, 0, 2);
    const target = new Uint8Array(memory, 8);
    try {
      const bytes = await ask(url, `bytes=${offset}-${offset + length - 1}`, tries);
      if (bytes.length !== length) throw new RangeError(`the server sent ${bytes.length} bytes`);
      target.set(bytes);
      state[1] = length;
      Atomics.store(state, 0, 1);
    } catch (error) {
      const text = new TextEncoder().encode(String((error as Error).message)).subarray(0, 1000);
      target.set(text);
      state[1] = text.length;
      Atomics.store(state, 0, 2);
    }
    Atomics.notify(state, 0);
  };
  scope.postMessage("ready");
}

/** Starts the worker and waits until it listens. */
async function startWorker(): Promise<Worker> {
  const code = new Blob([`(${fetchWorker})()`], { type: "text/javascript" });
  const address = URL.createObjectURL(code);
  const worker = new Worker(address, { type: "module" });
  try {
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
    });
  } finally {
    URL.revokeObjectURL(address);
  }
  return worker;
}

/** Reads through a worker, waiting on shared memory meanwhile. */
async function workerReader({ url, size }: RemoteFile): Promise<SyncReader> {
  const worker = await startWorker();
  const memory = new SharedArrayBuffer(8 + MOST);
  const state = new Int32Array(memory, 0, 2);
  return {
    size,
    most: MOST,
    read(offset, length) {
      Atomics.store(state, 0, 0);
      worker.postMessage({ memory, url, offset, length, tries: TRIES });
      if (Atomics.wait(state, 0, 0, PATIENCE) === "timed-out") {
        // A server in the very thread that waits could never answer.
        return refuse(url, `bytes at ${offset}`, `no answer within ${PATIENCE / 1000} s`);
      }
      const bytes = new Uint8Array(memory, 8, state[1]).slice();
      if (Atomics.load(state, 0) === 1) return bytes;
      return refuse(url, `bytes=${offset}-${offset + length - 1}`, new TextDecoder().decode(bytes));
    },
    close: () => worker.terminate(),
  };
}

/** Whether this thread may wait: not the main thread of a page. */
function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** A reader that waits for a remote file, or undefined where this thread can do no such thing. */
export async function openRemote(file: RemoteFile): Promise<SyncReader | undefined> {
  if ("XMLHttpRequest" in globalThis && "WorkerGlobalScope" in globalThis) return xhrReader(file);
  return mayWait() ? await workerReader(file) : undefined;
}
