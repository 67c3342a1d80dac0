/** Reading blocks of arrays, whatever their layout. */
import { FormatError } from "../errors.ts";
import type { Range } from "../storage.ts";
import { type BlockBytes, copyCommon, elementsOf, lengthsOf, overlap } from "./blocks.ts";
import { chunksOf, type StoredChunk } from "./chunk_index.ts";
import { Damage } from "./fields.ts";
import type { Pipeline } from "./filters.ts";
import type { Layout } from "./messages.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** What is known of an array before any of it is read. */
export interface ArrayInfo {
  readonly file: Hdf5Bytes;
  readonly place: { readonly file: string; readonly key: string };
  /** Bytes of an element. */
  readonly size: number;
  readonly shape: readonly number[];
  readonly maxShape: readonly number[];
  readonly layout: Layout;
  /** Undefined where there are no filters. */
  readonly pipeline: Pipeline | undefined;
  /** The bytes of an element that was never written; undefined where they are zeros. */
  readonly fill: Uint8Array | undefined;
}

/** Bytes that one request for neighbouring chunks asks for, and the gap between them that it may span. */
const RUN_BYTES = 1 << 22, GAP_BYTES = 1 << 16;

/** Rows of contiguous arrays that are read at once where only some columns are asked for. */
const SLAB_BYTES = 1 << 23;

/** Bytes of elements that were never written, beyond which reading them is refused where most of the array is such. */
const MOST_UNWRITTEN = 1 << 26;

/** Bytes of a chunk that are right whatever it takes in the file; and how many times that it may be beyond. */
const PLAUSIBLE_BYTES = 1 << 28, MOST_TIMES = 1100;

/** New bytes for a block, with what never written elements hold. */
function blank({ size, fill, place }: ArrayInfo, block: readonly Range[]): BlockBytes {
  const length = elementsOf(lengthsOf(block)) * size;
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(length);
  } catch (cause) {
    const reason = `Cannot read the array as there is no memory for ${length} bytes`;
    throw new FormatError("memory", reason, { ...place, cause });
  }
  if (fill?.length === size) { for (let at = 0; at < length; at += size) bytes.set(fill, at); }
  return { bytes, block };
}

/** Reads a block of elements that follow one another in the file. */
async function readContiguous(
  info: ArrayInfo,
  address: number,
  block: Range[],
): Promise<Uint8Array> {
  const { file, size, shape } = info;
  const [rows = [0, 1] as const, ...rest] = block;
  const rowBytes = elementsOf(shape.slice(1)) * size;
  const read = (start: number, end: number) =>
    file.read(address + start * rowBytes, (end - start) * rowBytes);
  if (rest.every(([start, end], k) => start === 0 && end === shape[k + 1])) {
    return await read(...rows);
  }
  await file.read(address + (rows[1] - 1) * rowBytes, rowBytes); // before memory is taken for what is not there
  const target = blank(info, block);
  const step = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
  const all = shape.slice(1).map((length): Range => [0, length]);
  for (let start = rows[0]; start < rows[1]; start += step) {
    const end = Math.min(start + step, rows[1]);
    copyCommon(target, { bytes: await read(start, end), block: [[start, end], ...all] }, size);
  }
  return target.bytes;
}

/** Chunks that one request reads. */
interface Run {
  readonly at: number;
  readonly end: number;
  readonly chunks: readonly StoredChunk[];
}

/** Chunks in the order of the file, with those that are neighbours there put together. */
function runsOf(chunks: StoredChunk[]): Run[] {
  const runs: { at: number; end: number; chunks: StoredChunk[] }[] = [];
  for (const chunk of chunks.sort((a, b) => a.address - b.address)) {
    const [last, end] = [runs.at(-1), chunk.address + chunk.size];
    const near = last !== undefined && chunk.address >= last.end &&
      chunk.address - last.end <= GAP_BYTES && end - last.at <= RUN_BYTES;
    if (near) {
      last.chunks.push(chunk);
      last.end = end;
    } else runs.push({ at: chunk.address, end, chunks: [chunk] });
  }
  return runs;
}

/** Bytes of the file that are elements of a block as they are. */
interface Span {
  readonly at: number;
  readonly part: Uint8Array<ArrayBuffer>;
}

/** Where a block of whole rows of unfiltered chunks is, neighbours put together; undefined where chunks are of other kinds. */
function plainSpans(
  { layout, shape, size, pipeline }: ArrayInfo,
  chunks: readonly StoredChunk[],
  { bytes, block }: BlockBytes,
): Span[] | undefined {
  const { chunk } = layout as Extract<Layout, { kind: "chunked" }>;
  const whole = shape.every((length, axis) =>
    axis === 0 || (chunk[axis] === length && block[axis]![0] === 0 && block[axis]![1] === length)
  );
  const rowBytes = elementsOf(shape.slice(1)) * size;
  const chunkBytes = chunk[0]! * rowBytes;
  if (pipeline !== undefined || !whole || chunks.some(({ size }) => size !== chunkBytes)) {
    return undefined;
  }
  const [start, end] = block[0]!;
  const spans: { at: number; from: number; to: number }[] = [];
  for (
    const { origin: [row], address } of [...chunks].sort((a, b) => a.origin[0]! - b.origin[0]!)
  ) {
    const [first, last] = [Math.max(start, row!), Math.min(end, row! + chunk[0]!)];
    const at = address + (first - row!) * rowBytes;
    const [from, to] = [(first - start) * rowBytes, (last - start) * rowBytes];
    const before = spans.at(-1);
    if (before?.to === from && before.at + before.to - before.from === at) before.to = to;
    else spans.push({ at, from, to });
  }
  const target = bytes as Uint8Array<ArrayBuffer>;
  return spans.map(({ at, from, to }) => ({ at, part: target.subarray(from, to) }));
}

/** The last chunk of which a part may be read next, by address. */
interface Kept {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Reads blocks of one array; a chunk that a read did not use up is kept for the next. */
export class ArrayReader {
  readonly #info: ArrayInfo;
  #kept: Kept | undefined;

  /** Reads nothing yet. */
  constructor(info: ArrayInfo) {
    this.#info = info;
  }

  /** Reads a block, which lies inside the array; the bytes are the caller's unless nothing is to be changed. */
  async read(block: Range[]): Promise<Uint8Array> {
    const { layout, shape, size } = this.#info;
    if (block.some(([start, end]) => start >= end)) return new Uint8Array(0);
    if (layout.kind === "chunked") return await this.#readChunks(block, layout);
    const length = elementsOf(shape) * size;
    if (layout.kind === "contiguous" && layout.address !== undefined) {
      return await readContiguous(this.#info, layout.address, block);
    }
    const target = blank(this.#info, block);
    if (layout.kind === "contiguous") return target.bytes;
    if (layout.bytes.length < length) throw new Damage("an array is shorter than its shape");
    const whole = shape.map((length): Range => [0, length]);
    copyCommon(target, { bytes: layout.bytes, block: whole }, size);
    return target.bytes;
  }

  async #readChunks(
    block: Range[],
    layout: Extract<Layout, { kind: "chunked" }>,
  ): Promise<Uint8Array> {
    const { file, size, shape, maxShape, pipeline } = this.#info;
    if (layout.chunk.length !== shape.length) {
      throw new Damage("chunks have other axes than the array");
    }
    const chunkBytes = elementsOf(layout.chunk) * size;
    const array = { file, layout, shape, maxShape, chunkBytes, filtered: pipeline !== undefined };
    const chunks: StoredChunk[] = [];
    for await (const chunk of chunksOf(array, block[0]!)) {
      if (overlap(this.#rangesOf(chunk, layout.chunk), block)) chunks.push(chunk);
    }
    this.#checkSizes(block, chunks, chunkBytes);
    const target = blank(this.#info, block);
    const spans = plainSpans(this.#info, chunks, target);
    if (spans !== undefined) {
      for (const { at, part } of spans) await file.readInto(at, part);
      return target.bytes;
    }
    const runs = runsOf(chunks);
    let next = runs[0] && this.#fetch(runs[0]);
    for (const [k, run] of runs.entries()) {
      const fetched = await next!;
      next = runs[k + 1] && this.#fetch(runs[k + 1]!);
      next?.catch(() => {}); // reported when it is waited for
      await this.#unpackRun({ run, ...fetched, target, chunkBytes, chunk: layout.chunk });
    }
    return target.bytes;
  }

  /** Refuses chunks that damage made huge, before memory is taken for them. */
  #checkSizes(block: readonly Range[], chunks: readonly StoredChunk[], chunkBytes: number): void {
    const { size, place } = this.#info;
    const least = chunks.reduce((least, chunk) => Math.min(least, chunk.size), Infinity);
    if (chunkBytes > Math.max(PLAUSIBLE_BYTES, MOST_TIMES * least)) {
      throw new Damage(
        `a chunk cannot have ${chunkBytes} bytes where it takes ${least} in the file`,
      );
    }
    const unwritten = elementsOf(lengthsOf(block)) * size - chunks.length * chunkBytes;
    if (unwritten <= MOST_UNWRITTEN || unwritten < 16 * chunks.length * chunkBytes) return;
    const reason = `Cannot read the array at once as ${unwritten} bytes of it were never written`;
    throw new FormatError("memory", reason, place);
  }

  /** The elements of a chunk, beyond the array's border too. */
  #rangesOf({ origin }: StoredChunk, chunk: readonly number[]): Range[] {
    return origin.map((start, axis): Range => [start, start + chunk[axis]!]);
  }

  /** Reads the bytes of a run; nothing where its one chunk was kept, which is then held on to. */
  async #fetch({ at, end, chunks }: Run): Promise<{ bytes: Uint8Array; kept: Kept | undefined }> {
    const kept = this.#kept;
    if (chunks.length === 1 && chunks[0]!.address === kept?.address) {
      return { bytes: new Uint8Array(0), kept };
    }
    return { bytes: await this.#info.file.read(at, end - at), kept: undefined };
  }

  async #unpackRun(
    job: {
      run: Run;
      bytes: Uint8Array;
      kept: Kept | undefined;
      target: BlockBytes;
      chunkBytes: number;
      chunk: readonly number[];
    },
  ): Promise<void> {
    const { run, bytes, kept, target, chunkBytes, chunk } = job;
    const { size } = this.#info;
    await Promise.all(run.chunks.map(async (stored) => {
      const { address } = stored;
      const unpacked = kept?.bytes ??
        await this.#unpack(stored, bytes.subarray(address - run.at), chunkBytes);
      const block = this.#rangesOf(stored, chunk);
      copyCommon(target, { bytes: unpacked, block }, size);
      const more = block.some(([, end], axis) => end > target.block[axis]![1]);
      if (more) this.#kept = { address, bytes: unpacked };
    }));
  }

  async #unpack(stored: StoredChunk, bytes: Uint8Array, chunkBytes: number): Promise<Uint8Array> {
    const { pipeline, layout, shape } = this.#info;
    const packed = bytes.subarray(0, stored.size);
    const { chunk, plainBorder } = layout as Extract<Layout, { kind: "chunked" }>;
    const beyond = stored.origin.some((start, axis) => start + chunk[axis]! > shape[axis]!);
    if (pipeline !== undefined && !(plainBorder && beyond)) {
      return await pipeline.decode(packed, stored.mask, chunkBytes);
    }
    if (packed.length !== chunkBytes) {
      throw new Damage(`a chunk must have ${chunkBytes} bytes: it has ${packed.length}`);
    }
    return packed;
  }
}
