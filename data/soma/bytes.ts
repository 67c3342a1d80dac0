/** Reading of little-endian records, with every length checked against what is there. */
import { FormatError, type FormatErrorOptions } from "../errors.ts";

/** The file that bytes come from, for messages. */
export type Place = FormatErrorOptions;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** An error about what a file holds. */
export function corrupt(message: string, place: Place): FormatError {
  return new FormatError("value", message, place);
}

/** A cursor over the bytes of a record. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #base: number;
  #at = 0;
  /** The file, for messages. */
  readonly place: Place;

  /**
   * Makes a cursor at the first byte.
   *
   * @param bytes The record.
   * @param place The file that it comes from.
   * @param options `what`: name of the record in messages; `base`: offset of its first byte in the file.
   */
  constructor(
    bytes: Uint8Array,
    place: Place,
    options: { readonly what: string; readonly base?: number },
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = options.what;
    this.#base = options.base ?? 0;
    this.place = place;
  }

  /** Number of bytes that were read. */
  get at(): number {
    return this.#at;
  }

  /** Number of bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Unsigned byte. */
  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Unsigned 32-bit integer. */
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Signed 32-bit integer. */
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** 64-bit float. */
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Unsigned 64-bit integer that must be below 2^53. */
  u64(): number {
    const value = this.u64Rounded();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    throw this.error(`integers must be below 2^53: got ${value}`);
  }

  /** Unsigned 64-bit integer, rounded where it is above 2^53. */
  u64Rounded(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** `count` unsigned 64-bit integers below 2^53. */
  u64s(count: number): Float64Array<ArrayBuffer> {
    this.#need(count * 8);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = this.u64();
    return values;
  }

  /** The next bytes, sharing memory. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** All bytes that are left, without moving on. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** The next bytes as UTF-8 text. */
  text(length: number): string {
    const at = this.#at;
    const bytes = this.bytes(length);
    try {
      return utf8.decode(bytes);
    } catch {
      this.#at = at;
      throw this.error("text must be UTF-8");
    }
  }

  /** A count of records of at least `least` bytes each, which must fit into what is left. */
  count(count: number, least: number): number {
    if (count * least <= this.left) return count;
    throw this.error(`${count} records need ${count * least} bytes: ${this.left} are left`);
  }

  /** An error about the place of the cursor. */
  error(rule: string): FormatError {
    return corrupt(
      `Cannot read ${this.#what} at byte ${this.#base + this.#at} as ${rule}`,
      this.place,
    );
  }

  #need(length: number): void {
    if (length <= this.left) return;
    throw new FormatError(
      "truncated",
      `Cannot read ${this.#what} at byte ${this.#base + this.#at} as ${length} bytes are needed: ` +
        `${this.left} are left`,
      this.place,
    );
  }

  #take(length: number): number {
    this.#need(length);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
