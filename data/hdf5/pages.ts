/** Bytes of a file in pages that are kept, since metadata are read in small pieces; reading on fetches more at a time. */
import { type ByteSource, isHttp } from "../source.ts";
import { Damage } from "./fields.ts";

/** Bytes of a page, which is what a jump to another place fetches: more of an address, whose answers come late. */
const PAGE = 1 << 16, REMOTE_PAGE = 1 << 17;

/** The most bytes that reading on fetches at once, and bytes that are kept. */
const MOST_AHEAD = 1 << 22, KEPT = 1 << 24;

/** From this length on, bytes are read as they are asked for and not kept. */
const LARGE = 1 << 18;

/** A file that is read by place and length. */
export class Pages {
  readonly #source: ByteSource;
  /** Bytes of a page. */
  readonly #length: number;
  readonly #pages = new Map<number, Promise<Uint8Array>>();
  #next = -1;
  #ahead = 1;

  /** Starts with no page. */
  constructor(source: ByteSource) {
    this.#source = source;
    this.#length = isHttp(source.name) ? REMOTE_PAGE : PAGE;
  }

  /** Length of the file. */
  get size(): number {
    return this.#source.size;
  }

  /** Fills `target` with bytes of the file; many are read into it at once. */
  async readInto(at: number, target: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#check(at, target.length);
    if (target.length >= LARGE && this.#source.readInto !== undefined) {
      return await this.#source.readInto(at, target);
    }
    target.set(await this.read(at, target.length));
  }

  #check(at: number, length: number): void {
    if (at >= 0 && length >= 0 && at + length <= this.size) return;
    throw new Damage(`${length} bytes at ${at} are not in a file of ${this.size}`);
  }

  /** Reads bytes; refuses those that do not exist before any memory is taken for them. */
  async read(at: number, length: number): Promise<Uint8Array> {
    this.#check(at, length);
    if (length >= LARGE) return await this.#source.read(at, length);
    const unit = this.#length;
    const [first, last] = [Math.floor(at / unit), Math.floor((at + length - 1) / unit)];
    const page = await this.#page(first);
    const start = at - first * unit;
    if (last <= first) return page.subarray(start, start + length);
    const bytes = new Uint8Array(length);
    bytes.set(page.subarray(start));
    for (let number = first + 1; number <= last; number++) {
      const next = await this.#page(number);
      const filled = number * unit - at;
      bytes.set(next.subarray(0, Math.min(unit, length - filled)), filled);
    }
    return bytes;
  }

  #page(number: number): Promise<Uint8Array> {
    const known = this.#pages.get(number);
    if (known === undefined) return this.#fetch(number);
    this.#pages.delete(number); // the last used stands last
    this.#pages.set(number, known);
    return known;
  }

  /** Fetches a page and, where the last fetch ended before it, twice as many as that fetched. */
  #fetch(number: number): Promise<Uint8Array> {
    const unit = this.#length;
    this.#ahead = number === this.#next ? Math.min(2 * this.#ahead, MOST_AHEAD / unit) : 1;
    const at = number * unit;
    const length = Math.min(this.#ahead * unit, this.size - at);
    const block = this.#source.read(at, length);
    const count = Math.ceil(length / unit);
    for (let k = 0; k < count; k++) this.#keep(number + k, block, k * unit);
    this.#next = number + count;
    return this.#pages.get(number)!;
  }

  #keep(number: number, block: Promise<Uint8Array>, at: number): void {
    const page = block.then((bytes) => bytes.slice(at, at + this.#length));
    page.catch(() => this.#pages.delete(number)); // what failed is tried again
    this.#pages.delete(number);
    this.#pages.set(number, page);
    if (this.#pages.size * this.#length <= KEPT) return;
    this.#pages.delete(this.#pages.keys().next().value!);
  }
}
