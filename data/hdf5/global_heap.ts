/** Global heaps, which hold texts of any length: HDF5 File Format Specification, III.E. */
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Bytes of a reference to a text: length, address of the heap, number in it. */
export function referenceBytes({ offsetBytes }: Hdf5Bytes): number {
  return 8 + offsetBytes;
}

/** Bytes of texts that are decoded together, at first and at most. */
const SMALL_BLOCK = 1 << 10, TEXT_BLOCK = 1 << 20;

/** A heap: its bytes, and where its objects are by number. */
interface Collection {
  readonly bytes: Uint8Array;
  readonly starts: readonly (number | undefined)[];
  readonly ends: readonly (number | undefined)[];
}

/** Numbers of heaps are of 16 bits. */
async function readCollection(file: Hdf5Bytes, address: number): Promise<Collection> {
  const { lengthBytes } = file;
  const head = new Fields(await file.read(address, 8 + lengthBytes));
  head.signature("GCOL");
  head.version([1], "a global heap");
  head.skip(3);
  const bytes = await file.read(address, head.uint(lengthBytes));
  const fields = new Fields(bytes);
  fields.skip(8 + lengthBytes);
  const [starts, ends]: [number[], number[]] = [[], []];
  while (fields.left >= 8 + lengthBytes) {
    const index = fields.u16();
    if (index === 0) break; // the rest is free
    fields.skip(6);
    const length = fields.uint(lengthBytes);
    starts[index] = fields.skip(length);
    ends[index] = starts[index]! + length;
    fields.skip(Math.min(fields.left, (8 - length % 8) % 8));
  }
  return { bytes, starts, ends };
}

/** Texts one after the other, decoded many at once, which takes a quarter of the time that one by one takes. */
class TextBlock {
  readonly texts: string[] = [];
  readonly #decoder = new TextDecoder();
  #block = new Uint8Array(SMALL_BLOCK);
  #filled = 0;

  /** Adds the text in a range of bytes; what follows a NUL is left out. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#filled + end - start + 1 > this.#block.length) this.#makeRoom(end - start + 1);
    const block = this.#block;
    let at = this.#filled;
    for (let k = start; k < end && bytes[k] !== 0; k++) block[at++] = bytes[k]!;
    block[at++] = 0;
    this.#filled = at;
  }

  /** Decodes what there is, and lets the next block hold more. */
  #makeRoom(length: number): void {
    this.#flush();
    const wanted = Math.max(length, Math.min(TEXT_BLOCK, 4 * this.#block.length));
    if (wanted > this.#block.length) this.#block = new Uint8Array(wanted);
  }

  /** All texts added. */
  finish(): string[] {
    this.#flush();
    return this.texts;
  }

  #flush(): void {
    const decoded = this.#decoder.decode(this.#block.subarray(0, this.#filled)).split("\0");
    for (let k = 0; k < decoded.length - 1; k++) this.texts.push(decoded[k]!);
    this.#filled = 0;
  }
}

/** How many heaps are kept while texts are read: those of neighbours are the same. */
const KEPT = 64;

/** The texts that references stand for. */
export async function readTexts(file: Hdf5Bytes, references: Uint8Array): Promise<string[]> {
  const width = referenceBytes(file);
  const fields = new Fields(references);
  const heaps = new Map<number, Collection>();
  const block = new TextBlock();
  let last = -1;
  let heap: Collection | undefined;
  for (let left = references.length / width; left > 0; left--) {
    const length = fields.u32();
    const address = fields.uint(file.offsetBytes);
    const index = fields.u32();
    if (length === 0) {
      block.add(references, 0, 0);
      continue;
    }
    if (address !== last) {
      heap = heaps.get(address) ?? await readCollection(file, address);
      heaps.set(address, heap);
      if (heaps.size > KEPT) heaps.delete(heaps.keys().next().value!);
      last = address;
    }
    const [start, end] = [heap!.starts[index], heap!.ends[index]];
    if (start === undefined || end === undefined || start + length > end) {
      throw new Damage(`text ${index} of a global heap is not there`);
    }
    block.add(heap!.bytes, start, start + length);
  }
  return block.finish();
}
