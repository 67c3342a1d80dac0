/** Ranges of a file that are read together. */
import type { ArrayFiles } from "./files.ts";

/** Bytes between two wanted ranges that are read along rather than asked for separately. */
const GAP = 64 * 1024;

/** Most bytes of one request. */
const MOST = 8 * 1024 * 1024;

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

/** Ranges of one file that are asked for in order, and read by few requests of bounded size, one of them ahead. */
export class RangeReader {
  readonly #files: ArrayFiles;
  readonly #file: string;
  readonly #wanted: Wanted;
  readonly #requests: readonly Request[];
  readonly #signal: AbortSignal | undefined;
  #current = 0;

  /** Makes it; nothing is read. */
  constructor(
    files: ArrayFiles,
    file: string,
    options: { readonly wanted: Wanted; readonly signal: AbortSignal | undefined },
  ) {
    this.#files = files;
    this.#file = file;
    this.#wanted = options.wanted;
    this.#signal = options.signal;
    this.#requests = coalesce(options.wanted);
  }

  /** Starts the request of a range, if it has not been. */
  prefetch(index: number): void {
    const at = this.#find(index);
    if (at !== undefined) this.#start(this.#requests[at]!);
  }

  /** The bytes of a range; ranges before it cannot be asked for any more. */
  async get(index: number): Promise<Uint8Array> {
    const at = this.#find(index);
    if (at === undefined) throw new RangeError(`Cannot read range ${index} as it was passed`);
    for (; this.#current < at; this.#current++) this.#requests[this.#current]!.bytes = undefined;
    const request = this.#requests[at]!;
    const bytes = await this.#start(request);
    const next = this.#requests[at + 1];
    if (next !== undefined) this.#start(next);
    const { starts, ends } = this.#wanted;
    return bytes.subarray(starts[index]! - request.start, ends[index]! - request.start);
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
function coalesce({ starts, ends }: Wanted): Request[] {
  const requests: Request[] = [];
  for (let i = 0; i < starts.length; i++) {
    const [start, end] = [starts[i]!, ends[i]!];
    const last = requests.at(-1);
    if (
      last !== undefined && start >= last.start && start - last.end <= GAP &&
      end - last.start <= MOST
    ) {
      last.end = Math.max(last.end, end);
      last.last = i + 1;
    } else requests.push({ start, end, first: i, last: i + 1 });
  }
  return requests;
}
