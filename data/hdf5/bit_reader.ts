/** Numbers of any count of bits, the highest bit first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  /** Bits that are read but not taken: the lowest `#left` ones. */
  #bits = 0;
  #left = 0;

  /** Starts at a byte. */
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  #refill(): void {
    if (this.#at >= this.#bytes.length) throw new RangeError("it ends too early");
    this.#bits = this.#bits << 8 | this.#bytes[this.#at++]!;
    this.#left += 8;
  }

  /** Takes up to 32 bits. */
  take(count: number): number {
    if (count > 24) return this.take(count - 16) * 65536 + this.take(16);
    while (this.#left < count) this.#refill();
    this.#left -= count;
    return this.#bits >>> this.#left & (1 << count) - 1;
  }

  /** Counts the zeros before the next one, which is taken too. */
  zeros(): number {
    for (let zeros = 0;; this.#refill()) {
      const bits = this.#left === 0 ? 0 : this.#bits << 32 - this.#left;
      if (bits !== 0) {
        const more = Math.clz32(bits);
        this.#left -= more + 1;
        return zeros + more;
      }
      zeros += this.#left;
      this.#left = 0;
    }
  }
}
