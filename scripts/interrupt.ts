/** Ctrl-C: asked once it stops the work in order, asked twice it ends the process. */

/** Exit code of a process that was interrupted. */
export const INTERRUPTED = 130;

/**
 * Does work that Ctrl-C stops.
 *
 * @param work Is given the signal
 * @returns What the work returned
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    controller.abort(new DOMException("Interrupted", "AbortError"));
  };
  Deno.addSignalListener("SIGINT", stop);
  try {
    return await work(controller.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
  }
}
