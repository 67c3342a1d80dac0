/** Where the chunks of an array are: HDF5 File Format Specification, III.A.1, VII. */
import { walkTree } from "./btree_v1.ts";
import { treeRecords } from "./btree_v2.ts";
import { extensibleElements } from "./extensible_array.ts";
import { Fields } from "./fields.ts";
import { fixedElements } from "./fixed_array.ts";
import type { Layout } from "./messages.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** A chunk as it is stored. */
export interface StoredChunk {
  /** Its first element along each axis. */
  readonly origin: readonly number[];
  /** Where its bytes are. */
  readonly address: number;
  /** How many there are. */
  readonly size: number;
  /** Bit k: filter k was not applied. */
  readonly mask: number;
}

/** The array that chunks belong to. */
export interface ChunkedArray {
  readonly file: Hdf5Bytes;
  readonly layout: Extract<Layout, { kind: "chunked" }>;
  readonly shape: readonly number[];
  /** How long the axes may become; Infinity where there is no limit. */
  readonly maxShape: readonly number[];
  /** Bytes of a chunk before filters. */
  readonly chunkBytes: number;
  /** Whether there are filters. */
  readonly filtered: boolean;
}

/** Half-open range of the first axis. */
type Rows = readonly [start: number, end: number];

/** Bytes of a chunk's stored size in indexes other than trees of version 1. */
function sizeBytes({ layout, chunkBytes }: ChunkedArray): number {
  return layout.sizeBytes ??
    Math.min(8, 1 + Math.floor((Math.log2(Math.max(1, chunkBytes)) + 8) / 8));
}

/** Chunks in a tree of version 1. */
async function* fromTree1(array: ChunkedArray, [start, end]: Rows): AsyncGenerator<StoredChunk> {
  const { file, layout: { address, chunk } } = array;
  const rank = chunk.length;
  const kind = {
    type: 1,
    keyBytes: 8 + 8 * (rank + 1),
    key(fields: Fields) {
      const [size, mask] = [fields.u32(), fields.u32()];
      const origin = Array.from({ length: rank }, () => fields.uint(8));
      fields.skip(8);
      return { size, mask, origin };
    },
  };
  const [length] = chunk as [number];
  const wanted = (from: { origin: number[] }, to: { origin: number[] }) =>
    from.origin[0]! < end && (to.origin[0]! + length > start);
  for await (const { key, address: at } of walkTree(file, address!, kind, wanted)) {
    if (key.origin[0]! + length > start) yield { ...key, address: at };
  }
}

/** Chunks in a tree of version 2, whose records hold chunk numbers along each axis. */
async function* fromTree2(array: ChunkedArray): AsyncGenerator<StoredChunk> {
  const { file, layout: { address, chunk }, chunkBytes, filtered } = array;
  for await (const record of treeRecords(file, address!, filtered ? 11 : 10)) {
    const at = record.uint(file.offsetBytes);
    const size = filtered ? record.uint(sizeBytes(array)) : chunkBytes;
    const mask = filtered ? record.u32() : 0;
    const origin = chunk.map((length) => record.uint(8) * length);
    yield { origin, address: at, size, mask };
  }
}

/** Chunks of some rows, each with its number in the order of arrays of chunks: row-major over all chunks there may ever be. */
function* numbered(array: ChunkedArray, [start, end]: Rows): Generator<[number, number[]]> {
  const { shape, layout: { chunk } } = array;
  const strides = stridesOf(array);
  const rows = [Math.floor(start / chunk[0]!), Math.ceil(end / chunk[0]!)] as const;
  const ends = shape.map((length, axis) => axis === 0 ? rows[1] : Math.ceil(length / chunk[axis]!));
  const at = shape.map((_, axis) => axis === 0 ? rows[0] : 0);
  while (at[0]! < ends[0]!) {
    const number = at.reduce((sum, index, axis) => sum + index * strides[axis]!, 0);
    yield [number, at.map((index, axis) => index * chunk[axis]!)];
    let axis = at.length - 1;
    while (axis > 0 && at[axis]! + 1 === ends[axis]) at[axis--] = 0;
    at[axis]!++;
  }
}

/** By how much a chunk's number grows along each axis; an axis without limit comes first, wherever it stands. */
function stridesOf({ maxShape, layout: { chunk } }: ChunkedArray): number[] {
  const strides = new Array<number>(chunk.length).fill(1);
  const free = maxShape.indexOf(Infinity);
  let stride = 1;
  for (let axis = chunk.length - 1; axis >= 0; axis--) {
    if (axis === free) continue;
    strides[axis] = stride;
    stride *= Math.ceil(maxShape[axis]! / chunk[axis]!);
  }
  if (free !== -1) strides[free] = stride;
  return strides;
}

/** Reads an element of a fixed or extensible array: address, and size and mask of a filtered chunk. */
function elementOf(array: ChunkedArray, fields: Fields): Omit<StoredChunk, "origin"> | undefined {
  const { file, chunkBytes, filtered } = array;
  const address = fields.address(file.offsetBytes);
  if (!filtered) return address === undefined ? undefined : { address, size: chunkBytes, mask: 0 };
  const size = fields.uint(sizeBytes(array));
  const mask = fields.u32();
  return address === undefined ? undefined : { address, size, mask };
}

/** Chunks in a fixed or extensible array. */
async function* fromArray(array: ChunkedArray, rows: Rows): AsyncGenerator<StoredChunk> {
  const { file, filtered, layout: { address, index } } = array;
  const width = file.offsetBytes + (filtered ? sizeBytes(array) + 4 : 0);
  const open = index.kind === "fixed" ? fixedElements : extensibleElements;
  const read = await open(file, address!, width);
  for (const [number, origin] of numbered(array, rows)) {
    const bytes = await read(number);
    const element = bytes && elementOf(array, new Fields(bytes));
    if (element !== undefined) yield { origin, ...element };
  }
}

/** Chunks that lie one after the other. */
function* implicit(array: ChunkedArray, rows: Rows): Generator<StoredChunk> {
  const { layout: { address }, chunkBytes } = array;
  for (const [number, origin] of numbered(array, rows)) {
    yield { origin, address: address! + number * chunkBytes, size: chunkBytes, mask: 0 };
  }
}

/** The chunks that hold elements of some rows of the array; those that were never written are left out. */
export async function* chunksOf(array: ChunkedArray, rows: Rows): AsyncGenerator<StoredChunk> {
  const { layout: { address, index }, shape, chunkBytes } = array;
  if (address === undefined || shape.includes(0)) return;
  switch (index.kind) {
    case "tree 1":
      return yield* fromTree1(array, rows);
    case "tree 2":
      return yield* fromTree2(array);
    case "single":
      return yield {
        origin: shape.map(() => 0),
        address,
        size: index.size ?? chunkBytes,
        mask: index.mask,
      };
    case "implicit":
      return yield* implicit(array, rows);
    default:
      return yield* fromArray(array, rows);
  }
}
