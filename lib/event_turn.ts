/** A pause for the events of a thread that computes. */

/** What may be there beside timers. */
interface Turns {
  readonly scheduler?: { postTask(task: () => void): Promise<void> };
  readonly setImmediate?: (task: () => void) => void;
}

/**
 * Gives waiting events (Ctrl-C, timers, a page's clicks) their turn: a device that computes on this very thread leaves them none. A hidden page
 * holds its timers back, for up to a minute each, but not the tasks of its scheduler. On a server a timer of 0 takes 2 ms and `setImmediate`
 * none; messages of a channel would come before some 60 turns of the timers.
 */
export function eventTurn(): Promise<void> {
  const { scheduler, setImmediate } = globalThis as Turns;
  if (scheduler !== undefined) return scheduler.postTask(() => {});
  return new Promise((resolve) =>
    setImmediate === undefined ? setTimeout(resolve) : setImmediate(resolve)
  );
}
