/** Where the bytes of a file go. */

/** Takes bytes at places that need not be in order. */
export interface ByteSink {
  /** Writes bytes at a place. */
  write(at: number, bytes: Uint8Array): Promise<void> | void;
}

/** Bytes that are gathered in memory: pieces in order, of which the first may be written again. */
export class MemorySink implements ByteSink {
  readonly #pieces: { at: number; bytes: Uint8Array }[] = [];
  #length = 0;

  write(at: number, bytes: Uint8Array): void {
    this.#pieces.push({ at, bytes: bytes.slice() });
    this.#length = Math.max(this.#length, at + bytes.length);
  }

  /** All bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length);
    for (const { at, bytes } of this.#pieces) whole.set(bytes, at);
    return whole;
  }
}

/** Gives out places one after the other. */
export class Appender {
  readonly #sink: ByteSink;
  /** Where the superblock is; addresses count from there. */
  readonly #base: number;
  /** Where the next bytes go. */
  end: number;
  /** The end of the last bytes. */
  used: number;

  /** Starts behind the first bytes, which are written last. */
  constructor(sink: ByteSink, options: { readonly base: number; readonly start: number }) {
    this.#sink = sink;
    this.#base = options.base;
    this.end = this.used = options.start;
  }

  /** Writes bytes behind all others; returns their address, a multiple of 8. */
  async append(bytes: Uint8Array): Promise<number> {
    const at = this.end;
    this.used = at + bytes.length;
    this.end = Math.ceil(this.used / 8) * 8;
    await this.#sink.write(this.#base + at, bytes);
    return at;
  }
}
