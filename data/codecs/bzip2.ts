/**
 * bzip2: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf. It is ours as none of npm's packages fits: seek-bzip (slower
 * too) and unbzip2-stream need Node's Buffer and streams; bz2 checks no stream, reads undefined bytes beyond the end and grows
 * without end; libbzip2 in WebAssembly (@foxglove/wasm-bz2) takes 1 MB for one stream a call.
 */
import { BitSource, GROUP, type PrefixCode, prefixCode } from "./bzip2_codes.ts";
import { checkDensity, checkLength, type Expected } from "./codec.ts";

/** Words of 24 bits: "BZh"; the first and second half of what begins a block, pi, and of what ends a stream, its root. */
const MAGIC = 0x425a68, BLOCK = [0x314159, 0x265359], END = [0x177245, 0x385090];
/** The most bytes that one byte can stand for: a block of 46.6 MB of equal ones takes some 40. */
const DENSEST = 1 << 21;

/** Bytes of a block before they are sorted back. */
interface Sorted {
  /** Its bytes in the lowest 8 bits of words that have room for more. */
  readonly words: Int32Array;
  /** How often each byte occurs. */
  readonly counts: Int32Array;
  /** Its bytes, so far; and the most. */
  length: number;
  readonly most: number;
  /** Bytes by how lately they occurred. */
  readonly recent: Uint8Array;
  /** Length of the run that is being read, and digits of it. */
  run: number;
  digits: number;
}

/** What has come out. */
interface Output {
  readonly bytes: Uint8Array;
  to: number;
}

/** CRC-32 with the highest bit first: checksums of each byte, then of each byte followed by one, two and three zeros. */
const CRC_TABLE = new Int32Array(4 * 256);
for (let k = 0; k < CRC_TABLE.length; k++) {
  let value = k < 256 ? k << 24 : CRC_TABLE[k - 256]!;
  for (let bit = 0; bit < 8; bit++) value = value << 1 ^ (value < 0 ? 0x04c11db7 : 0);
  CRC_TABLE[k] = value;
}

/** Checksum of a range of bytes, four at a time. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let [sum, k] = [-1, start];
  for (; k + 4 <= end; k += 4) {
    sum ^= bytes[k]! << 24 | bytes[k + 1]! << 16 | bytes[k + 2]! << 8 | bytes[k + 3]!;
    sum = CRC_TABLE[768 + (sum >>> 24)]! ^ CRC_TABLE[512 + (sum >>> 16 & 255)]! ^
      CRC_TABLE[256 + (sum >>> 8 & 255)]! ^ CRC_TABLE[sum & 255]!;
  }
  for (; k < end; k++) sum = sum << 8 ^ CRC_TABLE[sum >>> 24 ^ bytes[k]!]!;
  return ~sum >>> 0;
}

/** Moves the n-th of lately used bytes to the front. */
function moveToFront(recent: Uint8Array, n: number): number {
  const byte = recent[n]!;
  if (n < 32) { for (; n > 0; n--) recent[n] = recent[n - 1]!; }
  else recent.copyWithin(1, 0, n);
  return recent[0] = byte;
}

/** The bytes that a block has at all, in order. */
function readUsed(source: BitSource): Uint8Array {
  const rows = source.take(16);
  const used: number[] = [];
  for (let row = 0; row < 16; row++) {
    const bits = (rows >>> (15 - row) & 1) === 1 ? source.take(16) : 0;
    for (let bit = 0; bit < 16; bit++) {
      if ((bits >>> (15 - bit) & 1) === 1) used.push(16 * row + bit);
    }
  }
  if (used.length === 0) throw new RangeError("a block has no bytes");
  return Uint8Array.from(used);
}

/** Which code each group of symbols has, of how many. */
function readSelectors(source: BitSource): { selectors: Uint8Array; codes: number } {
  const codes = source.take(3);
  if (codes < 2 || codes > 6) throw new RangeError(`a block has 2 to 6 prefix codes: got ${codes}`);
  const selectors = new Uint8Array(source.take(15));
  const recent = Uint8Array.from({ length: codes }, (_, k) => k);
  for (let k = 0; k < selectors.length; k++) {
    let n = 0;
    while (source.take(1) === 1) n++;
    if (n >= codes) throw new RangeError("a group has a prefix code that is not there");
    selectors[k] = moveToFront(recent, n);
  }
  return { selectors, codes };
}

/** Reads a prefix code: how each length differs from the one before. */
function readCode(source: BitSource, symbols: number): PrefixCode {
  const lengths = new Uint8Array(symbols);
  let length = source.take(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > 20) throw new RangeError(`a code has 1 to 20 bits: got ${length}`);
      if (source.take(1) === 0) break;
      length += source.take(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return prefixCode(lengths);
}

/** Refuses a block that becomes longer than it may. */
function checkRoom(block: Sorted, count: number): void {
  if (block.length + count <= block.most) return;
  throw new RangeError(`a block may have ${block.most} bytes: got more`);
}

/** Adds the run of the latest byte that was read, if there is one. */
function endRun(block: Sorted): void {
  checkRoom(block, block.run);
  const { words, run } = block;
  const byte = block.recent[0]!;
  let at = block.length;
  const end = block.length = at + run;
  block.counts[byte]! += run;
  if (run > 32) words.fill(byte, at, end);
  else while (at < end) words[at++] = byte;
  block.run = 0;
  block.digits = 0;
}

/** Adds the bytes of a group of symbols; tells whether the last one was among them. */
function addGroup(block: Sorted, symbols: Uint16Array, last: number): boolean {
  const { words, counts, recent, most } = block;
  for (const symbol of symbols) {
    if (symbol < 2) {
      if (block.digits > 20) throw new RangeError("a run is longer than any block");
      block.run += (symbol + 1) << block.digits++;
      continue;
    }
    if (block.run > 0) endRun(block);
    if (symbol === last) return true;
    if (block.length === most) checkRoom(block, 1);
    const byte = moveToFront(recent, symbol - 1);
    words[block.length++] = byte;
    counts[byte]!++;
  }
  return false;
}

/** Reads the bytes of a block as they were sorted. */
function readSorted(source: BitSource, words: Int32Array, most: number): Sorted {
  const recent = readUsed(source);
  const last = recent.length + 1;
  const { selectors, codes } = readSelectors(source);
  const all = Array.from({ length: codes }, () => readCode(source, last + 1));
  const counts = new Int32Array(256);
  const block: Sorted = { words, counts, length: 0, most, recent, run: 0, digits: 0 };
  const group = new Uint16Array(GROUP);
  for (const selector of selectors) {
    const count = source.readGroup(all[selector]!, group, last);
    if (addGroup(block, group.subarray(0, count), last)) return block;
  }
  throw new RangeError("a block has no end");
}

/** Sorts the bytes of a block back, from the one at `start`: the inverse of Burrows and Wheeler's transform. */
function unsort({ words, counts, length }: Sorted, start: number): Uint8Array {
  if (start >= length) throw new RangeError("a block starts beyond it");
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    sum += counts[byte]!;
    counts[byte] = sum - counts[byte]!;
  }
  for (let k = 0; k < length; k++) words[counts[words[k]! & 255]!++]! |= k << 8;
  const bytes = new Uint8Array(length);
  for (let k = 0, at = words[start]! >>> 8; k < length; k++) {
    const word = words[at]!;
    bytes[k] = word;
    at = word >>> 8;
  }
  return bytes;
}

/** Writes the bytes of a block: four equal ones are followed by how many more there are. */
function expand(block: Uint8Array, out: Output): void {
  const { bytes } = out;
  let [to, previous, equal] = [out.to, -1, 0];
  for (let k = 0; k < block.length; k++) {
    const byte = block[k]!;
    if (to === bytes.length) throw new RangeError(`more than ${to} bytes come out`);
    bytes[to++] = byte;
    if (byte !== previous) [previous, equal] = [byte, 1];
    else if (++equal === 4) {
      if (++k === block.length) throw new RangeError("a run has no length");
      const end = to + block[k]!;
      if (end > bytes.length) throw new RangeError(`more than ${bytes.length} bytes come out`);
      while (to < end) bytes[to++] = byte;
      [previous, equal] = [-1, 0];
    }
  }
  out.to = to;
}

/** Unpacks a stream behind its magic. */
function unpackStream(source: BitSource, words: Int32Array, out: Output): void {
  const level = source.take(8) - 0x30;
  if (level < 1 || level > 9) throw new RangeError("a stream has no block size");
  for (let sum = 0;;) {
    const [first, second, wanted] = [source.take(24), source.take(24), source.takeWord()];
    if (first === END[0] && second === END[1]) {
      if (sum !== wanted) throw new RangeError("the checksum of a stream does not fit it");
      return;
    }
    if (first !== BLOCK[0] || second !== BLOCK[1]) throw new RangeError("a block has no head");
    if (source.take(1) === 1) throw new RangeError("its blocks are of bzip2 before 0.9.5");
    const [start, begin] = [source.take(24), out.to];
    const most = Math.min(words.length, level * 100_000);
    expand(unsort(readSorted(source, words, most), start), out);
    if (checksum(out.bytes, begin, out.to) !== wanted) {
      throw new RangeError("the checksum of a block does not fit it");
    }
    sum = ((sum << 1 | sum >>> 31) ^ wanted) >>> 0;
  }
}

/** Unpacks one stream or several. */
export function unpackBzip2(chunk: Uint8Array, expected: Expected): Uint8Array {
  checkDensity(chunk, expected.length, DENSEST);
  const source = new BitSource(chunk);
  const out: Output = { bytes: new Uint8Array(expected.length), to: 0 };
  // Only runs make a block longer than what comes out of it: five bytes for four.
  const words = new Int32Array(Math.min(900_000, expected.length + (expected.length >>> 2)));
  do {
    if (source.take(24) !== MAGIC) throw new RangeError("it is no bzip2 stream");
    unpackStream(source, words, out);
  } while (source.align() > 0);
  checkLength(out.to, expected);
  return out.bytes.subarray(0, out.to);
}
