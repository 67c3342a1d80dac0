/** Ranges of a file that are read together. */
import type { ArrayFiles } from "./files.ts";

/** Bytes between two wanted ranges that are read along rather than asked for separately. */
const GAP = 64 * 1024;

/** Most bytes of one request, where memory allows. */
const MOST = 8 * 1024 * 1024;

/** Most bytes of a file that are read ahead, where memory allows. */
const AHEAD = 16 * 1024 * 1024;

/** How ranges of a file are read. */
export interface RangeOptions {
  /** The ranges. */
  readonly wanted: Wanted;
  /** Number of files that are read at a time, which share a quarter of the memory. */
  readonly files: number;
  /** Whether ranges are read before they are asked for: those that are likely to be. */
  readonly ahead: boolean;
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
}

/** A request, and the wanted ranges that it serves. */
interface Request {
  readonly start: number;
  end: number;
  /** Index of its first wanted range. */
  readonly first: number;
  /** One past its last. */
  last: number;
  bytes?: Promise<Uint8Array> | undefined;
}

/** Wanted ranges of a file: from and to, in ascending order. */
export interface Wanted {
  /** First byte of each range. */
  readonly starts: ArrayLike<number>;
  /** One past its last byte. */
  readonly ends: ArrayLike<number>;
}

/** Ranges of one file that are asked for in order, and read by few requests of bounded size. */
export class RangeReader {
  readonly #files: ArrayFiles;
  readonly #file: string;
  readonly #wanted: Wanted;
  readonly #requests: readonly Request[];
  readonly #signal: AbortSignal | undefined;
  readonly #ahead: number;
  #current = 0;

  /** Makes it; nothing is read. */
  constructor(
    files: ArrayFiles,
    file: string,
    options: RangeOptions,
  ) {
    this.#files = files;
    this.#file = file;
    this.#wanted = options.wanted;
    this.#signal = options.signal;
    const share = files.settings.maxMemory / (8 * options.files);
    this.#requests = coalesce(options.wanted, Math.min(MOST, share));
    this.#ahead = options.ahead ? Math.min(AHEAD, share) : 0;
  }

  /** Starts the request of a range, if it has not been. */
  prefetch(index: number): void {
    const at = this.#find(index);
    if (at === undefined) return;
    this.#start(this.#requests[at]!);
    this.#startAfter(at);
  }

  /** The bytes of a range; ranges before it cannot be asked for any more. */
  async get(index: number): Promise<Uint8Array> {
    const at = this.#find(index);
    if (at === undefined) throw new RangeError(`Cannot read range ${index} as it was passed`);
    for (; this.#current < at; this.#current++) this.#requests[this.#current]!.bytes = undefined;
    const request = this.#requests[at]!;
    const started = this.#start(request);
    this.#startAfter(at);
    const bytes = await started;
    const { starts, ends } = this.#wanted;
    return bytes.subarray(starts[index]! - request.start, ends[index]! - request.start);
  }

  /** Starts the requests that are read ahead of one. */
  #startAfter(at: number): void {
    let left = this.#ahead;
    for (let next = at + 1; next < this.#requests.length; next++) {
      const request = this.#requests[next]!;
      left -= request.end - request.start;
      if (left < 0) return;
      this.#start(request);
    }
  }

  #find(index: number): number | undefined {
    for (let at = this.#current; at < this.#requests.length; at++) {
      if (index >= this.#requests[at]!.first && index < this.#requests[at]!.last) return at;
    }
    return undefined;
  }

  #start(request: Request): Promise<Uint8Array> {
    if (request.bytes === undefined) {
      const { start, end } = request;
      request.bytes = this.#files.range(this.#file, {
        offset: start,
        length: end - start,
        signal: this.#signal,
      });
      request.bytes.catch(() => {}); // told when it is asked for
    }
    return request.bytes;
  }
}

/** Joins ranges that lie near each other. */
function coalesce({ starts, ends }: Wanted, most: number): Request[] {
  const requests: Request[] = [];
  for (let i = 0; i < starts.length; i++) {
    const [start, end] = [starts[i]!, ends[i]!];
    const last = requests.at(-1);
    if (
      last !== undefined && start >= last.start && start - last.end <= GAP &&
      end - last.start <= most
    ) {
      last.end = Math.max(last.end, end);
      last.last = i + 1;
    } else requests.push({ start, end, first: i, last: i + 1 });
  }
  return requests;
}
