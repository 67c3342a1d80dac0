/** Bytes of a block of an HDF5 file, written one field after the other: the counterpart of `fields.ts`. */
import { lookup3 } from "./checksum.ts";

/** The address that means none. */
const NONE = 2n ** 64n - 1n;

/** A block that grows as fields are added. */
export class BytesOut {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes so far. */
  length = 0;

  #room(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  /** Adds numbers of one byte each. */
  u8(...values: number[]): this {
    const at = this.#room(values.length);
    this.#bytes.set(values, at);
    return this;
  }

  /** Adds a number of two bytes. */
  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Adds a number of four bytes. */
  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Adds a number, or an address, of eight bytes; Infinity and undefined mean none. */
  u64(value: number | undefined): this {
    const big = value === undefined || value === Infinity ? NONE : BigInt(value);
    const at = this.#room(8);
    this.#view.setBigUint64(at, big, true);
    return this;
  }

  /** Adds bytes. */
  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Adds ASCII letters. */
  letters(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  /** Adds zeros up to a multiple of `unit`, or up to a length. */
  pad(to: { readonly unit: number } | { readonly length: number }): this {
    const length = "unit" in to ? Math.ceil(this.length / to.unit) * to.unit : to.length;
    this.#room(Math.max(0, length - this.length));
    return this;
  }

  /** Adds the checksum of all before it. */
  checksum(): this {
    return this.u32(lookup3(this.finish()));
  }

  /** The bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }
}
