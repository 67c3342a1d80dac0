/**
 * Blosc 1: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst and blosc/blosc.c, blosc_d. It is ours as numcodecs' gives
 * damaged chunks as if they were whole.
 */
import { unpackBloscLz } from "./blosclz.ts";
import { checkDensity, checkLength, type Codec, type Expected } from "./codec.ts";
import { loadInflate } from "./inflate.ts";
import { type Kernels, loadKernels, MOST_OF_BLOCK } from "./kernels.ts";
import { loadLz4, type Unshuffle, unshuffleWith } from "./load_kernels.ts";
import { loadZstdBlock } from "./load_zstd.ts";
import { unpackLz4 } from "./lz4.ts";
import { unpackSnappy } from "./snappy.ts";
import { unshuffleBits } from "./unshuffle_bits.ts";

const HEADER = 16;
/** Fewest elements of a block, and most bytes of an element, of which each byte plane is packed alone. */
const FEWEST_SPLIT = 128;
const MOST_SPLITS = 16;
/** The most bytes that one byte can stand for, through Zstandard. */
const DENSEST = 1 << 15;

/** Bits of the header's flags. */
const FLAG = { shuffle: 1, copied: 2, bitshuffle: 4, reserved: 8, whole: 16 };

/** Fills a block out of packed bytes. */
type Unpack = (packed: Uint8Array, out: Uint8Array) => void | Promise<void>;

/** Compressors by their place in the flags. */
const COMPRESSORS: readonly (() => Unpack | Promise<Unpack>)[] = [
  () => unpackBloscLz,
  loadLz4,
  () => unpackSnappy,
  loadZlibBlock,
  loadZstdBlock,
];

/** The places of some of them; zlib may make promises. */
const [LZ4, ZLIB] = [1, 3];

/** Loads zlib for blocks. */
async function loadZlibBlock(): Promise<Unpack> {
  const inflate = await loadInflate();
  return (packed, out) => {
    const bytes = inflate(packed, { length: out.length, exact: true });
    const put = (unpacked: Uint8Array) => {
      checkLength(unpacked.length, { length: out.length, exact: true });
      out.set(unpacked);
    };
    return bytes instanceof Promise ? bytes.then(put) : put(bytes);
  };
}

/** What a chunk says of itself. */
interface Header {
  readonly flags: number;
  /** Bytes of an element. */
  readonly size: number;
  /** Bytes of the chunk. */
  readonly length: number;
  /** Bytes of a block. */
  readonly block: number;
}

/** Reads and checks a header. */
function readHeader(chunk: Uint8Array, expected: Expected): Header {
  if (chunk.length < HEADER) throw new RangeError("its header is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const [version, , flags, size] = chunk as unknown as readonly [number, number, number, number];
  const [length, block, packed] = [4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  if (packed !== chunk.length) {
    throw new RangeError(`${packed} bytes are claimed: got ${chunk.length}`);
  }
  checkLength(length, expected);
  checkDensity(chunk, length, DENSEST);
  if (version !== 2) throw new RangeError(`its version must be 2: got ${version}`);
  if (size === 0 || block === 0 && length > 0) throw new RangeError("its elements have no bytes");
  if ((flags & FLAG.reserved) !== 0 || flags >> 5 >= COMPRESSORS.length) {
    throw new RangeError(`its flags are not known: got ${flags}`);
  }
  return { flags, size, length, block };
}

/** Part of a block that is packed alone. */
interface Part {
  readonly packed: Uint8Array;
  readonly out: Uint8Array;
}

/** Parts of a block: its byte planes, or all of it. */
function* partsOf(
  chunk: Uint8Array,
  at: number,
  { out, parts }: { readonly out: Uint8Array; readonly parts: number },
): Generator<Part> {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const length = out.length / parts;
  for (let part = 0; part < parts; part++) {
    if (at + 4 > chunk.length) throw new RangeError("a block begins beyond it");
    const end = at + 4 + view.getUint32(at, true);
    if (end > chunk.length) throw new RangeError("a block goes beyond it");
    const to = part * length;
    yield { packed: chunk.subarray(at + 4, end), out: out.subarray(to, to + length) };
    at = end;
  }
}

/** Parts that a block has. */
function partCount({ flags, size, block }: Header, length: number): number {
  const split = (flags & FLAG.whole) === 0 && size <= MOST_SPLITS && length === block &&
    Math.floor(block / size) >= FEWEST_SPLIT && block % size === 0;
  return split ? size : 1;
}

/** How a block was shuffled. */
function shuffleOf({ flags, size }: Header, length: number): "bytes" | "bits" | undefined {
  if ((flags & FLAG.shuffle) !== 0) return size > 1 ? "bytes" : undefined;
  const count = Math.floor(length / size);
  // Blocks that are not made of eights were copied.
  return (flags & FLAG.bitshuffle) !== 0 && count > 0 && count % 8 === 0 ? "bits" : undefined;
}

/** Puts the bits of each element together again; bytes that make no whole element were copied. */
function putBits(planes: Uint8Array, size: number, out: Uint8Array): void {
  const whole = Math.floor(planes.length / size) * size;
  out.set(unshuffleBits(planes.subarray(0, whole), size));
  out.set(planes.subarray(whole), whole);
}

/** Fills parts from the k-th on; waits only where a compressor makes a promise. */
function unpackParts(parts: readonly Part[], unpack: Unpack, k = 0): void | Promise<void> {
  for (; k < parts.length; k++) {
    const { packed, out } = parts[k]!;
    if (packed.length === out.length) {
      out.set(packed);
      continue;
    }
    const waiting = unpack(packed, out);
    if (waiting !== undefined) return waiting.then(() => unpackParts(parts, unpack, k + 1));
  }
}

/** What unpacks blocks. */
export interface Tools {
  readonly unpack: Unpack;
  readonly unshuffle: Unshuffle;
  /** Memory for a block that is still shuffled. */
  readonly planes: (length: number) => Uint8Array;
}

/** Unpacks a block; `at` is the place of its parts. */
function unpackBlock(
  chunk: Uint8Array,
  { at, out, header }: { at: number; out: Uint8Array; header: Header },
  tools: Tools,
): void | Promise<void> {
  const shuffle = shuffleOf(header, out.length);
  const planes = shuffle === undefined ? out : tools.planes(out.length);
  const parts = [...partsOf(chunk, at, { out: planes, parts: partCount(header, out.length) })];
  const finish = () => {
    if (shuffle === "bytes") tools.unshuffle(planes, header.size, out);
    else if (shuffle === "bits") putBits(planes, header.size, out);
  };
  const waiting = unpackParts(parts, tools.unpack);
  return waiting === undefined ? finish() : waiting.then(finish);
}

/** Unpacks the blocks of a chunk, whose places follow its header, from the k-th on. */
function unpackBlocks(
  chunk: Uint8Array,
  { whole, header, k = 0 }: { whole: Uint8Array; header: Header; k?: number },
  tools: Tools,
): Uint8Array | Promise<Uint8Array> {
  const count = Math.ceil(header.length / header.block);
  if (HEADER + 4 * count > chunk.length) throw new RangeError("its list of blocks is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  for (; k < count; k++) {
    const at = view.getUint32(HEADER + 4 * k, true);
    const out = whole.subarray(k * header.block, (k + 1) * header.block);
    const waiting = unpackBlock(chunk, { at, out, header }, tools);
    if (waiting !== undefined) {
      return waiting.then(() => unpackBlocks(chunk, { whole, header, k: k + 1 }, tools));
    }
  }
  return whole;
}

/** Loads what unpacks the blocks of a compressor. */
export async function loadTools(compressor: number, kernels: Kernels | undefined): Promise<Tools> {
  // The kernels' memory holds one block, which another chunk may need while this one waits.
  const own = compressor === ZLIB ? undefined : kernels;
  const plain = compressor === LZ4 && kernels === undefined;
  return {
    unpack: plain ? unpackLz4 : await COMPRESSORS[compressor]!(),
    unshuffle: unshuffleWith(kernels),
    planes: (length) =>
      own === undefined || length > MOST_OF_BLOCK ? new Uint8Array(length) : own.block(length),
  };
}

/** The codec; a chunk's header says which compressor it needs, which is loaded with the first one. */
export async function loadBlosc(found = loadKernels()): Promise<Codec> {
  const kernels = await found;
  const ready = new Map<number, Tools>();
  return (chunk, expected) => {
    const header = readHeader(chunk, expected);
    if ((header.flags & FLAG.copied) !== 0) {
      if (chunk.length !== HEADER + header.length) throw new RangeError("its bytes are cut off");
      return chunk.slice(HEADER);
    }
    const whole = new Uint8Array(header.length);
    const compressor = header.flags >> 5;
    const tools = ready.get(compressor);
    if (tools !== undefined) return unpackBlocks(chunk, { whole, header }, tools);
    return loadTools(compressor, kernels).then((loaded) => {
      ready.set(compressor, loaded);
      return unpackBlocks(chunk, { whole, header }, loaded);
    });
  };
}
