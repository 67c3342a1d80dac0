/** Rows on their way into a stored array that grows. */
import type { ArrayStream, RawArray } from "./storage.ts";

/** Bytes that are gathered before they are passed on. */
const BUFFER_BYTES = 1 << 23;

/** The bytes of a typed array. */
export function bytesIn(values: RawArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What a stream does with the rows it gathered. */
export interface RowSink {
  /** Writes an array of which nothing was written yet. */
  whole(bytes: Uint8Array, rows: number): Promise<void>;
  /** Makes an empty array that grows. */
  start(): Promise<void>;
  /** Adds rows to it at row `at`. */
  append(bytes: Uint8Array, at: number): Promise<void>;
}

/** Gathers rows and passes them on in multiples of a chunk, so that no chunk is compressed twice. */
export class BufferedRows implements ArrayStream {
  readonly #sink: RowSink;
  readonly #rowBytes: number;
  readonly #buffer: Uint8Array;
  #filled = 0;
  #rows = 0;

  /**
   * Makes an empty buffer.
   *
   * @param size Bytes of a row and of a chunk, which holds whole rows.
   * @param sink Takes the rows.
   */
  constructor(size: { rowBytes: number; chunkBytes: number }, sink: RowSink) {
    this.#sink = sink;
    this.#rowBytes = size.rowBytes;
    const chunks = Math.max(1, Math.floor(BUFFER_BYTES / Math.max(1, size.chunkBytes)));
    this.#buffer = new Uint8Array(chunks * size.chunkBytes);
  }

  /** Appends whole rows. */
  async append(values: RawArray): Promise<void> {
    const bytes = bytesIn(values);
    for (let at = 0; at < bytes.length;) {
      if (this.#filled === this.#buffer.length) await this.#flush();
      const count = Math.min(bytes.length - at, this.#buffer.length - this.#filled);
      this.#buffer.set(bytes.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
    }
  }

  /** Passes on what is left; returns the number of rows. */
  async finish(): Promise<number> {
    if (this.#rows > 0) {
      await this.#flush();
      return this.#rows;
    }
    const rows = this.#rowBytes === 0 ? 0 : this.#filled / this.#rowBytes;
    await this.#sink.whole(this.#buffer.subarray(0, this.#filled), rows);
    return rows;
  }

  async #flush(): Promise<void> {
    if (this.#rows === 0) await this.#sink.start();
    await this.#sink.append(this.#buffer.subarray(0, this.#filled), this.#rows);
    this.#rows += this.#filled / this.#rowBytes;
    this.#filled = 0;
  }
}
