/** The bits of bzip2's streams, the first of a byte being its highest, and the prefix codes in them. */

/** Symbols that are read with one code before the next code is chosen. */
export const GROUP = 50;
/** Bits of the longest code; and of the longest that a table of all bits answers. */
const LONGEST = 20, SHORT = 10;
const SHORT_MASK = (1 << SHORT) - 1, LONG_MASK = (1 << LONGEST) - 1;

/** A canonical prefix code. */
export interface PrefixCode {
  /** By the next `SHORT` bits: 32 times a symbol, and the bits of its code; 0 where that is longer. */
  readonly table: Uint16Array;
  /** By length: the first code that is longer, filled up to `LONGEST` bits. */
  readonly ends: Int32Array;
  /** By length: what leads from a code to its place among the symbols. */
  readonly shifts: Int32Array;
  /** Symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

/** Makes the code whose symbols have codes of these lengths, each 1 to 20. */
export function prefixCode(lengths: Uint8Array): PrefixCode {
  const table = new Uint16Array(1 << SHORT);
  const [ends, shifts] = [new Int32Array(LONGEST + 1), new Int32Array(LONGEST + 1)];
  const symbols = new Uint16Array(lengths.length);
  for (let length = 1, next = 0, place = 0; length <= LONGEST; length++) {
    next <<= 1;
    shifts[length] = place - next;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (next >>> length !== 0) throw new RangeError("a prefix code has too many short codes");
      symbols[place++] = symbol;
      if (length <= SHORT) {
        const start = next << (SHORT - length);
        table.fill(symbol << 5 | length, start, start + (1 << (SHORT - length)));
      }
      next++;
    }
    ends[length] = next << (LONGEST - length);
  }
  return { table, ends, shifts, symbols };
}

/** The symbol and length of a code that is longer than the table's, as the table has them. */
function longEntry({ ends, shifts, symbols }: PrefixCode, bits: number): number {
  for (let length = SHORT + 1; length <= LONGEST; length++) {
    if (bits >= ends[length]!) continue;
    return symbols[(bits >>> (LONGEST - length)) + shifts[length]!]! << 5 | length;
  }
  throw new RangeError("a code is of no symbol");
}

/** The bits are there no more. */
const cutOff = () => new RangeError("it is cut off");

/** Reads bits; throws where there are none left. */
export class BitSource {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Bits that were read ahead: the lowest `#count` ones. */
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next bits, at most 24. */
  take(count: number): number {
    while (this.#count < count) {
      if (this.#at === this.#bytes.length) throw cutOff();
      this.#bits = this.#bits << 8 | this.#bytes[this.#at++]!;
      this.#count += 8;
    }
    this.#count -= count;
    return this.#bits >>> this.#count & (1 << count) - 1;
  }

  /** The next 32 bits, without a sign. */
  takeWord(): number {
    return this.take(16) * 2 ** 16 + this.take(16);
  }

  /** Passes the rest of a byte; tells how many whole ones follow. */
  align(): number {
    this.#count &= ~7;
    return this.#bytes.length - this.#at + this.#count / 8;
  }

  /**
   * Reads the symbols of a group, or those up to `last`; tells how many. Twenty bits are looked at for each, which is never beyond the
   * bytes of a whole stream, as eighty follow its last symbol.
   */
  readGroup(code: PrefixCode, out: Uint16Array, last: number): number {
    const [bytes, { table }] = [this.#bytes, code];
    let [at, bits, count, k] = [this.#at, this.#bits, this.#count, 0];
    while (k < GROUP) {
      while (count < LONGEST) {
        if (at === bytes.length) throw cutOff();
        bits = bits << 8 | bytes[at++]!;
        count += 8;
      }
      let entry = table[bits >>> (count - SHORT) & SHORT_MASK]!;
      if (entry === 0) entry = longEntry(code, bits >>> (count - LONGEST) & LONG_MASK);
      count -= entry & 31;
      out[k++] = entry >>> 5;
      if (entry >>> 5 === last) break;
    }
    this.#at = at;
    this.#bits = bits;
    this.#count = count;
    return k;
  }
}
