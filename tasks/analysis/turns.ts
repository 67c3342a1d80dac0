/** Long computations that stay interruptible. */
import { eventTurn } from "../../lib/mod.ts";

/** Milliseconds that a computation may hold its thread. */
const HOLD_MS = 30;

/**
 * Makes the function that a long loop awaits every so often: it looks at the signal, and lets waiting events through where the loop has
 * held the thread for long.
 *
 * @param signal What stops the loop
 * @returns The function; it rejects with the signal's reason
 */
export function turns(signal: AbortSignal | undefined): () => Promise<void> {
  let since = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - since < HOLD_MS) return;
    await eventTurn();
    since = performance.now();
    signal?.throwIfAborted();
  };
}
