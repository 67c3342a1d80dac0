/** A pause for the events of a thread that computes. */

/**
 * Gives waiting events (Ctrl-C, a page's clicks) their turn: a device that computes on this very thread leaves them none. A hidden page holds
 * its timers back, for up to a minute each, but not the tasks of its scheduler.
 */
export function eventTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { postTask(task: () => void): Promise<void> } };
  return scheduler?.postTask(() => {}) ?? new Promise((resolve) => setTimeout(resolve));
}
