/** Fields of a block of an HDF5 file, read one after the other: numbers are little-endian, and nothing beyond the block is read. */

/** What breaks the file format; nodes say which key of which file it is about. */
export class Damage extends Error {
  override readonly name = "Damage";
}

/** A part of the file format that is right and rare, and not read here. */
export class Unread extends Damage {
  /** Says what it is. */
  constructor(what: string) {
    super(`${what} is not supported: copy the file with h5repack or h5py first`);
  }
}

const ASCII = new TextDecoder("latin1");
const UTF8 = new TextDecoder();

/** A place in a block of bytes that moves on as fields are read. */
export class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Place of the next field. */
  at = 0;

  /** Starts at the first byte. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes from here on. */
  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** Passes over bytes; returns the place where they begin. */
  skip(length: number): number {
    if (length > this.left || length < 0) {
      throw new Damage(`a field of ${length} bytes goes beyond its block of ${this.#bytes.length}`);
    }
    const { at } = this;
    this.at += length;
    return at;
  }

  /** Bytes, as a view. */
  bytes(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A number of one byte. */
  u8(): number {
    return this.#bytes[this.skip(1)]!;
  }

  /** A number of two bytes. */
  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  /** A number of four bytes. */
  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** A number of up to eight bytes; refuses those that are not exact. */
  uint(width: number): number {
    const at = this.skip(width);
    let value = 0;
    if (width === 8) {
      value = this.#view.getUint32(at, true) + 2 ** 32 * this.#view.getUint32(at + 4, true);
    } else for (let k = width - 1; k >= 0; k--) value = value * 256 + this.#bytes[at + k]!;
    if (value > Number.MAX_SAFE_INTEGER) throw new Damage(`the number ${value} is too large`);
    return value;
  }

  /** An address of `width` bytes; undefined where it is the one that means none. */
  address(width: number): number | undefined {
    const bytes = this.bytes(width);
    if (bytes.every((byte) => byte === 255)) return undefined;
    this.at -= width;
    return this.uint(width);
  }

  /** The four letters that kinds of blocks begin with. */
  signature(expected: string): void {
    const found = ASCII.decode(this.bytes(4));
    if (found !== expected) {
      throw new Damage(
        `a block must begin with ${expected}: it begins with ${JSON.stringify(found)}`,
      );
    }
  }

  /** A number that must be one of those known. */
  version(known: readonly number[], what: string): number {
    const version = this.u8();
    if (!known.includes(version)) {
      throw new Damage(`the version of ${what} must be ${known.join(" or ")}: got ${version}`);
    }
    return version;
  }

  /** Text of a given length; what follows a NUL is left out. */
  text(length: number): string {
    const bytes = this.bytes(length);
    const end = bytes.indexOf(0);
    return UTF8.decode(end === -1 ? bytes : bytes.subarray(0, end));
  }

  /** Text up to a NUL, which is passed over too. */
  terminated(): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end === -1) throw new Damage("a text has no end");
    const text = UTF8.decode(this.bytes(end - this.at));
    this.at++;
    return text;
  }
}
