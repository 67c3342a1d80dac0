/** Acts that are tried again. */

/** An answer after which an act may be tried again. */
export class RetryableError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "RetryableError";
  /** How long the server asks to wait, in milliseconds. */
  readonly after: number | undefined;

  /** Makes the error. */
  constructor(
    message: string,
    options: ErrorOptions & { readonly after?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = "RetryableError";
    this.after = options.after;
  }
}

/** How often and after how long an act is tried again. */
export interface RetryOptions {
  /** Times that it is tried again. */
  readonly retries: number;
  /** Milliseconds before the first time; each wait is about twice as long as the one before. */
  readonly delay: number;
  /** Stops it. */
  readonly signal: AbortSignal | undefined;
}

/** Longest wait in milliseconds. */
const LONGEST = 30_000;

/** Tries an act again after a {@linkcode RetryableError}; the last one is thrown. */
export async function retry<T>(act: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, delay, signal } = options;
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof RetryableError) || attempt >= retries) throw error;
      // Random waits keep many readers from coming back together.
      const wait = delay * 2 ** attempt * (0.5 + Math.random());
      await pause(Math.min(LONGEST, Math.max(wait, error.after ?? 0)), signal);
    }
  }
}

/** Waits; rejects with the signal's reason as soon as that is raised. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal!.reason);
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", stop);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** Lets so many acts run at a time; the others wait in order. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** Makes a gate for `width` acts at a time. */
  constructor(width: number) {
    this.#free = width;
  }

  /** Runs an act when there is room. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#free++;
    }
  }
}
