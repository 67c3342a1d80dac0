/** Cutting rows into chunks, and chunks into shards. */
import { crc32c } from "../codecs/crc.ts";
import type { Compress } from "./encoders.ts";

/** How rows are cut. */
export interface ChunkOptions {
  /** Rows of a chunk. */
  readonly rows: number;
  /** Bytes of a row. */
  readonly rowBytes: number;
  /** Chunks of a shard; undefined where each chunk is a file. */
  readonly shard: number | undefined;
  /** Compresses a chunk. */
  readonly compress: Compress;
  /** Keeps the chunk or shard of a number. */
  put(number: number, bytes: Uint8Array<ArrayBuffer>): unknown;
}

/** An index entry that says that a chunk is not there. */
const ABSENT = 2n ** 64n - 1n;

/** Takes whole chunks of rows, only the last of which may be short, and keeps them compressed. */
export class ChunkWriter {
  /** Rows of a chunk. */
  readonly rows: number;
  /** Bytes of a row. */
  readonly rowBytes: number;
  readonly #options: ChunkOptions;
  #shard: Uint8Array<ArrayBuffer>[] = [];
  #written = 0;

  /** Starts at the first row. */
  constructor(options: ChunkOptions) {
    this.#options = options;
    this.rows = options.rows;
    this.rowBytes = options.rowBytes;
  }

  /** Bytes of a chunk. */
  get chunkBytes(): number {
    return this.rows * this.rowBytes;
  }

  /** Keeps rows: a multiple of a chunk, except the last time. */
  async append(bytes: Uint8Array): Promise<void> {
    const size = this.chunkBytes;
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = new Uint8Array(size); // the last chunk is as long as the others
      chunk.set(bytes.subarray(at, at + size));
      const packed = await this.#options.compress(chunk);
      if (this.#options.shard === undefined) {
        await this.#options.put(this.#written++, packed);
      } else {
        this.#shard.push(packed);
        if (this.#shard.length === this.#options.shard) await this.#putShard();
      }
    }
  }

  /** Keeps what is left. */
  async finish(): Promise<void> {
    if (this.#shard.length > 0) await this.#putShard();
  }

  /** Writes the gathered chunks as a shard: chunks, then place and length of each, then the index's checksum. */
  async #putShard(): Promise<void> {
    const count = this.#options.shard!;
    const length = this.#shard.reduce((sum, chunk) => sum + chunk.length, 0);
    const shard = new Uint8Array(length + 16 * count + 4);
    const view = new DataView(shard.buffer);
    let at = 0;
    for (let k = 0; k < count; k++) {
      const chunk = this.#shard[k];
      view.setBigUint64(length + 16 * k, chunk === undefined ? ABSENT : BigInt(at), true);
      const size = chunk === undefined ? ABSENT : BigInt(chunk.length);
      view.setBigUint64(length + 16 * k + 8, size, true);
      if (chunk === undefined) continue;
      shard.set(chunk, at);
      at += chunk.length;
    }
    const end = length + 16 * count;
    view.setUint32(end, crc32c(shard.subarray(length, end)), true);
    this.#shard = [];
    await this.#options.put(this.#written++, shard);
  }
}
