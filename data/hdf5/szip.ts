/** Szip, which is adaptive entropy coding: CCSDS 121.0-B-3, with the options and the padding of https://github.com/MathisRosenhauer/libaec. */
import { checkDensity, checkLength, type Codec } from "../codecs/codec.ts";
import { unshuffle } from "../codecs/shuffle.ts";
import { BitReader } from "./bit_reader.ts";

/** Bits of the options. */
const BIG_ENDIAN = 16;
const NEAREST_NEIGHBOUR = 32;

/** Most samples of a line. */
const MOST_SAMPLES = 1 << 20;
/** The most bytes that one byte can stand for: five bits may be 64 blocks of zeros. */
const DENSEST = 1 << 15;
/** Code of zeros up to the end of a segment of 64 blocks. */
const REST_OF_SEGMENT = 5;
/** Highest code of the second extension, which has pairs of numbers with sums up to 12. */
const MOST_PAIR = 90;

/** What the filter's parameters say. */
interface Line {
  /** Bits of a sample, and its bytes. */
  readonly bits: number;
  readonly bytes: number;
  readonly bigEndian: boolean;
  /** Whether samples are differences to the one before. */
  readonly differences: boolean;
  /** Samples of a block, blocks of a line with its padding, samples without it. */
  readonly block: number;
  readonly blocks: number;
  readonly samples: number;
}

/** Reads the parameters: options, samples of a block, bits of a sample, samples of a line. */
function parse([mask = 0, block = 0, bits = 0, samples = 0]: readonly number[]): Line {
  // Bytes of wide elements come plane by plane, each byte a sample.
  const sampleBits = bits === 32 || bits === 64 ? 8 : bits;
  if (
    sampleBits < 1 || sampleBits > 24 || block < 2 || block > 64 || block % 2 !== 0 ||
    samples < 1 || samples > MOST_SAMPLES
  ) {
    throw new RangeError(`its parameters are not known: ${mask}, ${block}, ${bits}, ${samples}`);
  }
  return {
    bits: sampleBits,
    bytes: sampleBits > 16 ? 4 : sampleBits > 8 ? 2 : 1,
    bigEndian: (mask & BIG_ENDIAN) !== 0,
    differences: (mask & NEAREST_NEIGHBOUR) !== 0,
    block,
    blocks: Math.ceil(samples / block),
    samples,
  };
}

/** Reads the samples of a line, of which `wanted` are needed; those of differences begin with a plain one. */
function readLine(reader: BitReader, line: Line, wanted: number, out: Uint32Array): void {
  const { bits, block } = line;
  const idBits = bits > 16 ? 5 : bits > 8 ? 4 : 3;
  for (let at = 0; at < wanted;) {
    const id = reader.take(idBits);
    const end = at + block;
    if (id === 2 ** idBits - 1) {
      while (at < end) out[at++] = reader.take(bits);
      continue;
    }
    const pairs = id === 0 && reader.take(1) === 1;
    const first = at;
    if (at === 0 && line.differences) out[at++] = reader.take(bits);
    if (id > 0) readSplit(reader, id - 1, out.subarray(at, end));
    else if (pairs) readPairs(reader, out.subarray(first, end), at - first);
    else {
      at = first + block * zeroBlocks(reader.zeros() + 1, first / block, line.blocks);
      if (at > out.length) throw new RangeError("zeros go beyond a line");
      out.fill(0, first + (first === 0 && line.differences ? 1 : 0), at);
      continue;
    }
    at = end;
  }
}

/** Numbers whose high parts come before all their low parts of `k` bits. */
function readSplit(reader: BitReader, k: number, out: Uint32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = reader.zeros() << k;
  if (k > 0) { for (let i = 0; i < out.length; i++) out[i]! += reader.take(k); }
}

/** Pairs of small numbers in one code each: second extension. The first number of the first pair may be there already. */
function readPairs(reader: BitReader, out: Uint32Array, from: number): void {
  for (let i = 0; i < out.length; i += 2) {
    const code = reader.zeros();
    if (code > MOST_PAIR) throw new RangeError(`a pair of numbers is not known: got ${code}`);
    const sum = Math.floor((Math.sqrt(8 * code + 1) - 1) / 2);
    const second = code - sum * (sum + 1) / 2;
    if (i >= from) out[i] = sum - second;
    out[i + 1] = second;
  }
}

/** Blocks of zeros that a code stands for. */
function zeroBlocks(code: number, block: number, blocks: number): number {
  if (code === REST_OF_SEGMENT) return Math.min(blocks - block, 64 - block % 64);
  return code > REST_OF_SEGMENT ? code - 1 : code;
}

/** Adds up differences, which are folded so that none goes beyond the range of samples: section 4.2. */
function addUp(samples: Uint32Array, count: number, bits: number): void {
  const most = 2 ** bits - 1;
  let sample = samples[0]!;
  for (let i = 1; i < count; i++) {
    const folded = samples[i]!;
    const upper = sample > most >> 1;
    const room = upper ? most - sample : sample;
    if (folded + 1 >> 1 > room) sample = (upper ? most - folded : folded) & most;
    else sample += folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    samples[i] = sample;
  }
}

/** Puts samples of 1, 2 or 4 bytes. */
function putSamples(samples: Uint32Array, view: DataView, { bytes, bigEndian }: Line): void {
  for (let i = 0, at = 0; i < samples.length; i++, at += bytes) {
    if (bytes === 1) view.setUint8(at, samples[i]!);
    else if (bytes === 2) view.setUint16(at, samples[i]!, !bigEndian);
    else view.setUint32(at, samples[i]!, !bigEndian);
  }
}

/**
 * The codec of a filter.
 *
 * @param values Options, samples of a block, bits of a sample, samples of a line.
 */
export function loadSzip(values: readonly number[]): Codec {
  return (chunk, expected) => {
    const line = parse(values);
    if (chunk.length < 4) throw new RangeError("its header is cut off");
    const length = new DataView(chunk.buffer, chunk.byteOffset, 4).getUint32(0, true);
    checkLength(length, expected);
    checkDensity(chunk, length, DENSEST);
    if (length % line.bytes !== 0) throw new RangeError(`${length} bytes are no samples`);
    const out = new Uint8Array(length);
    const samples = new Uint32Array(line.blocks * line.block);
    const reader = new BitReader(chunk, 4);
    for (let at = 0; at < length; at += line.samples * line.bytes) {
      const count = Math.min(line.samples, (length - at) / line.bytes);
      readLine(reader, line, count, samples);
      if (line.differences) addUp(samples, count, line.bits);
      putSamples(samples.subarray(0, count), new DataView(out.buffer, at), line);
    }
    const bits = values[2]!;
    return bits === 32 || bits === 64 ? unshuffle(out, bits / 8) : out;
  };
}
