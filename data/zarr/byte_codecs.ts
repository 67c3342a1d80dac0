/** Codecs that make bytes of bytes, all ours: those of other libraries give damaged chunks as if they were whole. */
import { loadBlosc } from "../codecs/blosc.ts";
import { checkDensity, checkLength, type Codec } from "../codecs/codec.ts";
import { crc32c } from "../codecs/crc.ts";
import { loadInflate } from "../codecs/inflate.ts";
import { loadLz4, loadUnshuffle } from "../codecs/load_kernels.ts";
import { loadZstd } from "../codecs/load_zstd.ts";
import type { Json } from "./hierarchy.ts";

/** A codec. */
export interface ByteCodec {
  /** Bytes that writing adds; undefined where the length of what it makes is not known. */
  readonly added?: number;
  /** Makes what undoes it. */
  load(configuration: Json): Codec | Promise<Codec>;
}

/** The most bytes that one byte of LZ4 can stand for. */
const DENSEST = 255;

/** A block of LZ4 after its length: numcodecs' lz4. */
async function loadSizedLz4(): Promise<Codec> {
  const unpack = await loadLz4();
  return (chunk, expected) => {
    if (chunk.length < 4) throw new RangeError("its length is cut off");
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const length = view.getUint32(0, true);
    checkLength(length, expected);
    checkDensity(chunk, length, DENSEST);
    const out = new Uint8Array(length);
    unpack(chunk.subarray(4), out);
    return out;
  };
}

/** Checks and drops the checksum behind a chunk. */
function checkCrc32c(chunk: Uint8Array): Uint8Array {
  const end = chunk.length - 4;
  if (end < 0) throw new RangeError("the checksum is missing");
  const stored = new DataView(chunk.buffer, chunk.byteOffset + end, 4).getUint32(0, true);
  const content = chunk.subarray(0, end);
  if (crc32c(content) !== stored) throw new RangeError("the checksum does not fit the bytes");
  return content;
}

/** numcodecs' shuffle, whose elements have 4 bytes unless told. */
async function loadShuffle({ elementsize = 4 }: Json): Promise<Codec> {
  const size = Number(elementsize);
  const unshuffle = await loadUnshuffle();
  if (Number.isSafeInteger(size) && size > 0) return (chunk) => unshuffle(chunk, size);
  throw new RangeError(`its elements cannot have ${elementsize} bytes`);
}

/** The codecs by name. */
export const BYTE_CODECS: ReadonlyMap<string, ByteCodec> = new Map<string, ByteCodec>([
  ["blosc", { load: () => loadBlosc() }],
  ["crc32c", { added: 4, load: () => checkCrc32c }],
  ["gzip", { load: () => loadInflate("gzip") }],
  ["lz4", { load: loadSizedLz4 }],
  ["shuffle", { added: 0, load: loadShuffle }],
  ["zlib", { load: () => loadInflate("deflate") }],
  ["zstd", { load: () => loadZstd() }],
]);
