/** A file as the library reads it: now, and in small pieces. Pages are kept, and reading on fetches more at a time. */

import type { Patch } from "./hdf5_lzf.ts";

/** Reads bytes of a file and waits for them. */
export interface SyncReader {
  /** Length of the file. */
  readonly size: number;
  /** The most bytes that one call may ask for. */
  readonly most: number;
  /** Reads bytes that exist. */
  read(offset: number, length: number): Uint8Array;
  /** Lets go of what reading needed. */
  close(): void;
}

/** Bytes of a page: what a jump to another place fetches. */
const PAGE = 1 << 17;

/** The most bytes that one read of what is at hand asks for. */
const MOST = 1 << 20;

/** Pages that are kept: 64 MiB. */
const KEPT = 512;

/** A file whose pages are fetched when they are asked for. */
export class PagedFile {
  readonly #reader: SyncReader;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #patches: Patch[] = [];
  #next = -1;
  #ahead = 1;

  /** Starts with no page. */
  constructor(reader: SyncReader) {
    this.#reader = reader;
  }

  /** Length of the file. */
  get size(): number {
    return this.#reader.size;
  }

  /** Copies bytes from `position` into `target`; returns how many there were. */
  readInto(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.size - position));
    const last = Math.floor((position + count - 1) / PAGE);
    for (let filled = 0; filled < count;) {
      const at = position + filled;
      const page = this.#page(Math.floor(at / PAGE), last);
      const part = page.subarray(at % PAGE, at % PAGE + count - filled);
      target.set(part, filled);
      filled += part.length;
    }
    for (const { at, bytes } of this.#patches) {
      const [from, to] = [Math.max(at, position), Math.min(at + bytes.length, position + count)];
      if (from < to) target.set(bytes.subarray(from - at, to - at), from - position);
    }
    return count;
  }

  /** Shows other bytes at a place from now on. */
  patch(patch: Patch): void {
    this.#patches.push(patch);
  }

  /** Lets go of the pages. */
  close(): void {
    this.#pages.clear();
    this.#reader.close();
  }

  /** A page; fetches it, with those after it that are needed up to `last` or likely. */
  #page(number: number, last: number): Uint8Array {
    const known = this.#pages.get(number);
    if (known !== undefined) {
      this.#pages.delete(number); // the last used stands last
      this.#pages.set(number, known);
      return known;
    }
    this.#fetch(number, last);
    return this.#pages.get(number)!;
  }

  #fetch(number: number, last: number): void {
    // Reading on where the last fetch ended doubles what is fetched; a jump starts small again.
    this.#ahead = number === this.#next ? Math.min(2 * this.#ahead, this.#reader.most / PAGE) : 1;
    const wanted = Math.max(last - number + 1, this.#ahead);
    const offset = number * PAGE;
    const pages = Math.min(wanted, Math.floor(this.#reader.most / PAGE));
    const length = Math.min(pages * PAGE, this.size - offset);
    const bytes = this.#reader.read(offset, length);
    for (let at = 0; at < length; at += PAGE) {
      this.#pages.set((offset + at) / PAGE, bytes.slice(at, at + PAGE));
    }
    this.#next = Math.ceil((offset + length) / PAGE);
    for (const [old] of this.#pages) {
      if (this.#pages.size <= KEPT) break;
      if (old < number || old >= this.#next) this.#pages.delete(old);
    }
  }
}

/** A reader of bytes in memory. */
export function bytesReader(bytes: Uint8Array): SyncReader {
  return {
    size: bytes.length,
    most: MOST,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    close() {},
  };
}

/** A reader of a Blob: by ranges in a page's worker, elsewhere of a copy in memory. */
export async function blobReader(blob: Blob): Promise<SyncReader> {
  if (!("FileReaderSync" in globalThis)) {
    return bytesReader(new Uint8Array(await blob.arrayBuffer()));
  }
  const { FileReaderSync } = globalThis as unknown as {
    FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };
  };
  const reader = new FileReaderSync();
  return {
    size: blob.size,
    most: MOST,
    read: (offset, length) =>
      new Uint8Array(reader.readAsArrayBuffer(blob.slice(offset, offset + length))),
    close() {},
  };
}
