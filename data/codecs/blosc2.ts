/**
 * Blosc 2 as HDF5's filter writes it: a frame of chunks, of an array where it has two axes or more.
 * https://github.com/Blosc/c-blosc2/blob/main/README_CFRAME_FORMAT.rst and PyTables, hdf5-blosc2/src/blosc2_filter.c.
 */
import { type Grid, gridSizes, placeChunk, readGrid } from "./b2nd.ts";
import { type Compressors, fillSpecial, unpackChunk } from "./blosc2_chunk.ts";
import { checkLength, type Codec, type Expected } from "./codec.ts";

/** Bytes of a frame's header without descriptions of what it holds; with which it begins; its formats. */
const HEADER = 87, BEGIN = "\x9e\xa8b2frame\0", LAST_VERSION = 3;
/** Where in it numbers are, which are big-endian. */
const AT = {
  header: 11,
  frame: 16,
  flags: 25,
  kind: 26,
  length: 30,
  packed: 39,
  size: 48,
  chunk: 58,
};
/** Flags: chunks, and blocks, of different lengths. */
const VARYING = 0xc0;
/** Names under which an array's shape is kept; the second is an older one. */
const ARRAYS = new Set(["b2nd", "caterva"]);
/** The most chunks of a frame, of which filters write one; and how much larger filling up may make one than the array. */
const MOST_CHUNKS = 1 << 20, MOST_FILLED = 64;

/** What a frame says of itself. */
interface Frame {
  /** Its chunks, and behind them the list of where each begins. */
  readonly chunks: Uint8Array;
  readonly list: Uint8Array;
  /** Bytes of all chunks, unpacked, and of each. */
  readonly length: number;
  readonly chunkLength: number;
  /** Bytes of an element. */
  readonly size: number;
  /** How the array lies in it, where it holds one. */
  readonly grid: Grid | undefined;
}

/** Finds what describes the array: a list of names and places, after which come the descriptions. */
function findArray(header: Uint8Array, view: DataView): Uint8Array | undefined {
  const damaged = () => new RangeError("the descriptions in its header are damaged");
  if (header.length < HEADER + 7 || header[HEADER + 4] !== 0xde) throw damaged();
  let at = HEADER + 7;
  for (let left = view.getUint16(HEADER + 5); left > 0; left--) {
    if (at + 1 > header.length) throw damaged();
    const end = at + 1 + (header[at]! & 31);
    if (end + 5 > header.length) throw damaged();
    const name = String.fromCharCode(...header.subarray(at + 1, end));
    const place = view.getUint32(end + 1);
    if (ARRAYS.has(name)) {
      if (place + 5 > header.length || header[place] !== 0xc6) throw damaged();
      return header.subarray(place + 5, place + 5 + view.getUint32(place + 1));
    }
    at = end + 5;
  }
  return undefined;
}

/** Reads and checks the header of a frame. */
function readFrame(frame: Uint8Array): Frame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < HEADER) throw new RangeError("its header is cut off");
  if (String.fromCharCode(...frame.subarray(0, BEGIN.length)) !== BEGIN) {
    throw new RangeError("it is no frame of Blosc 2");
  }
  const [header, flags] = [view.getUint32(AT.header), frame[AT.flags]!];
  const long = (at: number) => Number(view.getBigUint64(at));
  const [claimed, length, packed] = [long(AT.frame), long(AT.length), long(AT.packed)];
  if (claimed !== frame.length) {
    throw new RangeError(`${claimed} bytes are claimed: got ${frame.length}`);
  }
  if ((flags & 15) > LAST_VERSION || (flags & VARYING) !== 0 || frame[AT.kind] !== 0) {
    throw new RangeError("frames of its kind cannot be read here");
  }
  if (header + packed > frame.length) throw new RangeError("its chunks are cut off");
  const [size, chunkLength] = [view.getUint32(AT.size), view.getUint32(AT.chunk)];
  const array = findArray(frame.subarray(0, header), view);
  return {
    chunks: frame.subarray(header, header + packed),
    list: frame.subarray(header + packed),
    length,
    chunkLength,
    size,
    grid: array && readGrid(array, size),
  };
}

/** How many chunks a frame has. */
function chunkCount({ length, chunkLength, grid }: Frame): number {
  if (length === 0) return 0;
  const count = Math.ceil(length / chunkLength);
  if (!(count <= MOST_CHUNKS)) throw new RangeError(`it may have ${MOST_CHUNKS} chunks`);
  if (grid !== undefined) {
    const sizes = gridSizes(grid);
    const fits = sizes.chunkLength === chunkLength && sizes.count * chunkLength === length &&
      chunkLength <= MOST_FILLED * sizes.length;
    if (!fits) throw new RangeError("its chunks do not make up its array");
  }
  return count;
}

/** Unpacks a chunk into memory that holds zeros, or makes one that has no bytes of its own. */
async function readChunk(
  { chunks, size }: Frame,
  offset: bigint,
  { out, ready }: { readonly out: Uint8Array; readonly ready: Compressors },
): Promise<void> {
  // The highest bit says that the highest byte is a kind of special value.
  if (offset < 0n) fillSpecial(out, Number(offset >> 56n & 7n), size);
  else await unpackChunk(chunks.subarray(Number(offset)), out, ready);
}

/** Whether the bytes of chunks, one after the other, are those of the array: blocks go across it, and nothing fills them up. */
function isInOrder({ length, grid }: Frame, total: number): boolean {
  if (grid === undefined) return true;
  return length === total && grid.block.every((n, axis) => axis === 0 || n === grid.shape[axis]);
}

/** Unpacks a frame. */
async function unpackFrame(
  packed: Uint8Array,
  expected: Expected,
  ready: Compressors,
): Promise<Uint8Array> {
  const frame = readFrame(packed);
  const { length, chunkLength, grid } = frame;
  const total = grid ? gridSizes(grid).length : length;
  checkLength(total, expected);
  const offsets = new BigInt64Array(chunkCount(frame));
  const out = new Uint8Array(total);
  if (offsets.length > 0) await unpackChunk(frame.list, new Uint8Array(offsets.buffer), ready);
  const inOrder = isInOrder(frame, total);
  for (const [k, offset] of offsets.entries()) {
    const start = k * chunkLength;
    const chunk = inOrder
      ? out.subarray(start, Math.min(length, start + chunkLength))
      : new Uint8Array(chunkLength);
    await readChunk(frame, offset, { out: chunk, ready });
    if (!inOrder) placeChunk(chunk, k, grid!, out);
  }
  return out;
}

/** The codec; chunks say which compressors they need, which are loaded with the first ones. */
export function loadBlosc2(): Codec {
  const ready: Compressors = new Map();
  return (chunk, expected) => unpackFrame(chunk, expected, ready);
}
