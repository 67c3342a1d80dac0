/** Global heaps, which hold texts of any length: HDF5 File Format Specification, III.E. */
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Bytes of a reference to a text: length, address of the heap, number in it. */
export function referenceBytes({ offsetBytes }: Hdf5Bytes): number {
  return 8 + offsetBytes;
}

/** Bytes of texts that are decoded together, at first and at most. */
const SMALL_BLOCK = 1 << 10, TEXT_BLOCK = 1 << 20;

/** A heap: its bytes, and where its objects begin and end, by number; 0 for those that are not there. */
interface Collection {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Reads a heap. Files have a text for each cell: fields are taken from the bytes at once, which saves half the time. */
async function readCollection(file: Hdf5Bytes, address: number): Promise<Collection> {
  const { lengthBytes } = file;
  const head = new Fields(await file.read(address, 8 + lengthBytes));
  head.signature("GCOL");
  head.version([1], "a global heap");
  head.skip(3);
  const bytes = await file.read(address, head.uint(lengthBytes));
  return { bytes, ...placesOf(bytes, lengthBytes) };
}

/** Where the objects of a heap begin and end. */
function placesOf(
  bytes: Uint8Array,
  lengthBytes: number,
): { starts: Uint32Array; ends: Uint32Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = 8 + lengthBytes;
  const most = Math.min(1 << 16, Math.floor(bytes.length / head) + 1);
  let [starts, ends] = [new Uint32Array(most), new Uint32Array(most)];
  for (let at = head; at + head <= bytes.length;) {
    const index = view.getUint16(at, true);
    if (index === 0) break; // the rest is free
    const length = lengthBytes === 8 && view.getUint32(at + 12, true) === 0
      ? view.getUint32(at + 8, true)
      : new Fields(bytes.subarray(at + 8)).uint(lengthBytes);
    const end = at + head + length;
    if (end > bytes.length) throw new Damage(`text ${index} goes beyond its global heap`);
    if (index >= starts.length) [starts, ends] = [grown(starts), grown(ends)];
    starts[index] = at + head;
    ends[index] = end;
    at += head + Math.ceil(length / 8) * 8;
  }
  return { starts, ends };
}

/** Room for every number that an object may have. */
function grown(places: Uint32Array): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(1 << 16);
  all.set(places);
  return all;
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
  const view = new DataView(references.buffer, references.byteOffset, references.byteLength);
  const wide = file.offsetBytes === 8;
  const heaps = new Map<number, Collection>();
  const block = new TextBlock();
  let last = -1;
  let heap: Collection | undefined;
  for (let at = 0; at < references.length; at += width) {
    const length = view.getUint32(at, true);
    if (length === 0) {
      block.add(references, 0, 0);
      continue;
    }
    const address = wide
      ? view.getUint32(at + 4, true) + 2 ** 32 * view.getUint32(at + 8, true)
      : new Fields(references.subarray(at + 4)).uint(file.offsetBytes);
    if (address !== last) {
      heap = heaps.get(address) ?? await readCollection(file, address);
      heaps.set(address, heap);
      if (heaps.size > KEPT) heaps.delete(heaps.keys().next().value!);
      last = address;
    }
    const index = view.getUint32(at + width - 4, true);
    const [start, end] = [heap!.starts[index] ?? 0, heap!.ends[index] ?? 0];
    if (start === 0 || start + length > end) {
      throw new Damage(`text ${index} of a global heap is not there`);
    }
    block.add(heap!.bytes, start, start + length);
  }
  return block.finish();
}
