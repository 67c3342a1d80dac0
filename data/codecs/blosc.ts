/**
 * Blosc 1: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst and blosc/blosc.c, blosc_d. It is ours as numcodecs' gives
 * damaged chunks as if they were whole.
 */
import { unpackBloscLz } from "./blosclz.ts";
import { checkDensity, checkLength, type Codec, type Expected } from "./codec.ts";
import { loadInflate } from "./inflate.ts";
import { loadZstdBlock } from "./load_zstd.ts";
import { unpackLz4 } from "./lz4.ts";
import { unshuffle } from "./shuffle.ts";
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
  () => unpackLz4,
  () => unpackSnappy,
  loadZlibBlock,
  loadZstdBlock,
];

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

/** Undoes the shuffling of a block. */
function unshuffleBlock(bytes: Uint8Array, { flags, size }: Header): Uint8Array {
  if ((flags & FLAG.shuffle) !== 0) return unshuffle(bytes, size);
  const count = Math.floor(bytes.length / size);
  // Blocks that are not made of eights were copied.
  if ((flags & FLAG.bitshuffle) === 0 || count === 0 || count % 8 !== 0) return bytes;
  const whole = count * size;
  const out = bytes.slice();
  out.set(unshuffleBits(bytes.subarray(0, whole), size));
  return out;
}

/** Blocks of the unpacked chunk. */
function blocksOf(out: Uint8Array, { block }: Header): Uint8Array[] {
  const count = Math.ceil(out.length / block);
  return Array.from({ length: count }, (_, k) => out.subarray(k * block, (k + 1) * block));
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

/** Unpacks the blocks of a chunk, whose places follow its header. */
function unpackBlocks(
  chunk: Uint8Array,
  header: Header,
  unpack: Unpack,
): Uint8Array | Promise<Uint8Array> {
  const count = Math.ceil(header.length / header.block);
  if (HEADER + 4 * count > chunk.length) throw new RangeError("its list of blocks is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const whole = new Uint8Array(header.length);
  const blocks = blocksOf(whole, header);
  const parts = blocks.flatMap((out, k) => {
    const at = view.getUint32(HEADER + 4 * k, true);
    return [...partsOf(chunk, at, { out, parts: partCount(header, out.length) })];
  });
  const waiting = unpackParts(parts, unpack);
  const finish = () => {
    for (const block of blocks) block.set(unshuffleBlock(block, header));
    return whole;
  };
  return waiting === undefined ? finish() : waiting.then(finish);
}

/** The codec; a chunk's header says which compressor it needs, which is loaded with the first one. */
export function loadBlosc(): Codec {
  const ready = new Map<number, Unpack>();
  return (chunk, expected) => {
    const header = readHeader(chunk, expected);
    if ((header.flags & FLAG.copied) !== 0) {
      if (chunk.length !== HEADER + header.length) throw new RangeError("its bytes are cut off");
      return chunk.slice(HEADER);
    }
    const compressor = header.flags >> 5;
    const unpack = ready.get(compressor);
    if (unpack !== undefined) return unpackBlocks(chunk, header, unpack);
    return Promise.resolve(COMPRESSORS[compressor]!()).then((loaded) => {
      ready.set(compressor, loaded);
      return unpackBlocks(chunk, header, loaded);
    });
  };
}
