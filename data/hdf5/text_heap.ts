/** Writing texts of any length into global heaps: HDF5 File Format Specification, III.E. */
import { BytesOut } from "./bytes_out.ts";
import type { Appender } from "./sink.ts";

/** Bytes of a heap; the library expects no smaller one. */
const HEAP_BYTES = 1 << 16, LEAST = 1 << 12;

/** Bytes of a heap's head and of an object's. */
const HEAD = 16;

/** Bytes of a reference to a text. */
export const REFERENCE_BYTES = 16;

/** Numbers of objects are of 16 bits, and 0 is the free space. */
const MOST_OBJECTS = 65_000;

/** Texts on their way into heaps. */
export class TextHeap {
  readonly #file: Appender;
  #texts: Uint8Array[] = [];
  #bytes = 0;

  /** Starts with no heap. */
  constructor(file: Appender) {
    this.#file = file;
  }

  /** Writes texts; returns their references one after the other. */
  async add(texts: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    const references = new Uint8Array(texts.length * REFERENCE_BYTES);
    const view = new DataView(references.buffer);
    const encoder = new TextEncoder();
    let first = 0; // of the texts whose heap has no address yet
    for (const [k, text] of texts.entries()) {
      const bytes = encoder.encode(text);
      if (bytes.length === 0) continue;
      const room = HEAD + Math.ceil(bytes.length / 8) * 8;
      const full = this.#bytes + room > HEAP_BYTES || this.#texts.length >= MOST_OBJECTS;
      if (full && this.#texts.length > 0) {
        point(view, first, k, await this.#flush());
        first = k;
      }
      this.#texts.push(bytes);
      this.#bytes += room;
      view.setUint32(k * REFERENCE_BYTES, bytes.length, true);
      view.setUint32(k * REFERENCE_BYTES + 12, this.#texts.length, true);
    }
    if (this.#texts.length > 0) point(view, first, texts.length, await this.#flush());
    return references;
  }

  /** Writes the heap; returns its address. */
  async #flush(): Promise<number> {
    const used = HEAD + this.#bytes;
    const length = Math.max(LEAST, used);
    const out = new BytesOut().letters("GCOL").u8(1, 0, 0, 0).u64(length);
    for (const [k, bytes] of this.#texts.entries()) {
      out.u16(k + 1).u16(0).u32(0).u64(bytes.length).bytes(bytes).pad({ unit: 8 });
    }
    if (length - used >= HEAD) out.u16(0).u16(0).u32(0).u64(length - used);
    this.#texts = [];
    this.#bytes = 0;
    return await this.#file.append(out.pad({ length }).finish());
  }
}

/** Enters the address of a heap into the references of some texts; those without bytes have none. */
function point(view: DataView, from: number, to: number, address: number): void {
  for (let k = from; k < to; k++) {
    if (view.getUint32(k * REFERENCE_BYTES, true) === 0) continue;
    view.setBigUint64(k * REFERENCE_BYTES + 4, BigInt(address), true);
  }
}
