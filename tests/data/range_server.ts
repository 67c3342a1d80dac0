/** A server of one file by ranges in a thread of its own, as a reader that waits would block one in this thread. */

/** What the server is told and what it tells. */
interface Task {
  readonly path: string;
  /** Requests that fail with 503 before any is answered; each `rest` of the file then answers 403. */
  readonly failures: number;
  readonly forbiddenFrom: number;
}

if (!("Window" in globalThis) && "WorkerGlobalScope" in globalThis) {
  const scope = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };
  scope.onmessage = ({ data }: MessageEvent<Task>) => serve(data, (m) => scope.postMessage(m));
}

function serve(task: Task, tell: (message: unknown) => void): void {
  const bytes = Deno.readFileSync(task.path);
  let failures = task.failures;
  const served: number[] = [];
  Deno.serve({ port: 0, onListen: ({ port }) => tell(port) }, (request) => {
    if (request.url.endsWith("/served")) return Response.json(served);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    if (range === null) return new Response("give a range", { status: 400 });
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    if (start > 0 && failures-- > 0) return new Response(null, { status: 503 });
    if (start >= task.forbiddenFrom) return new Response(null, { status: 403 });
    served.push(end - start + 1);
    const headers = { "content-range": `bytes ${start}-${end}/${bytes.length}` };
    return new Response(bytes.slice(start, end + 1), { status: 206, headers });
  });
}

/** The server, from the outside. */
export class RangeServer {
  private constructor(readonly url: string, readonly worker: Worker) {}

  /** Starts it. */
  static async start(
    path: string,
    options: { failures?: number; forbiddenFrom?: number } = {},
  ): Promise<RangeServer> {
    const worker = new Worker(import.meta.url, { type: "module" });
    const port = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage({ path, failures: 0, forbiddenFrom: Infinity, ...options });
    });
    return new RangeServer(`http://localhost:${port}/cells.h5ad`, worker);
  }

  /** Bytes of each answer so far. */
  async served(): Promise<number[]> {
    return await (await fetch(new URL("/served", this.url))).json();
  }

  [Symbol.dispose](): void {
    this.worker.terminate();
  }
}
