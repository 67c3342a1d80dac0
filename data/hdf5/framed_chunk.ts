/** Chunks as HDF5's plugins for LZ4 and bitshuffle frame them: 8 bytes of length, 4 of a block's, then blocks, each after 4 bytes of its own. */
import { checkDensity, checkLength, type Expected } from "../codecs/codec.ts";

/** Bytes of the header. */
const HEADER = 12;

/** A chunk whose blocks are taken one after the other; its numbers are big-endian. */
export class FramedChunk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = HEADER;
  /** Bytes of the unpacked chunk. */
  readonly length: number;
  /** Bytes of an unpacked block. */
  readonly blockLength: number;

  /**
   * Reads the header.
   *
   * @param densest The most bytes that one byte can stand for.
   * @throws {RangeError} Where it is cut off or claims a length that cannot be.
   */
  constructor(bytes: Uint8Array, expected: Expected, densest: number) {
    if (bytes.length < HEADER) throw new RangeError("its header is cut off");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = Number(this.#view.getBigUint64(0));
    this.blockLength = this.#view.getUint32(8);
    checkLength(this.length, expected);
    checkDensity(bytes, this.length, densest);
  }

  /** The next block as it is packed. */
  next(): Uint8Array {
    const start = this.#at + 4;
    if (start > this.#bytes.length) throw new RangeError("it ends before its last block");
    const end = start + this.#view.getUint32(this.#at);
    if (end > this.#bytes.length) throw new RangeError("a block goes beyond it");
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** What follows the blocks that were taken. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}
