/** Snappy: https://github.com/google/snappy/blob/main/format_description.txt */
import { copyBack } from "./copy_back.ts";

/** A little-endian number of up to four bytes. */
function littleEndian(block: Uint8Array, at: number, width: number): number {
  if (at + width > block.length) throw new RangeError("a block ends within an element");
  let value = 0;
  for (let k = width - 1; k >= 0; k--) value = value * 256 + block[at + k]!;
  return value;
}

/** Length of the preamble, which must say what `out` holds. */
function readPreamble(block: Uint8Array, length: number): number {
  let [at, claimed] = [0, 0];
  for (let more = true; more; at++) {
    if (at >= block.length || at > 4) throw new RangeError("a block has no length");
    claimed += (block[at]! & 127) * 2 ** (7 * at);
    more = block[at]! > 127;
  }
  if (claimed === length) return at;
  throw new RangeError(`a block must have ${length} bytes: got ${claimed}`);
}

/** Unpacks a block that must fill `out`; throws where it is damaged. */
export function unpackSnappy(block: Uint8Array, out: Uint8Array): void {
  let [at, to] = [readPreamble(block, out.length), 0];
  while (at < block.length) {
    const tag = block[at++]!;
    const width = tag & 3;
    if (width === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const count = (extra === 0 ? tag >> 2 : littleEndian(block, at, extra)) + 1;
      at += extra;
      if (at + count > block.length || to + count > out.length) {
        throw new RangeError(`a block is damaged before byte ${at}`);
      }
      out.set(block.subarray(at, at + count), to);
      at += count;
      to += count;
      continue;
    }
    // One byte of the distance, with three bits of the tag; two; or four.
    const bytes = width === 3 ? 4 : width;
    const back = littleEndian(block, at, bytes) + (width === 1 ? (tag >> 5) * 256 : 0);
    const end = to + (width === 1 ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1);
    at += bytes;
    if (back === 0 || back > to || end > out.length) {
      throw new RangeError(`a block is damaged before byte ${at}`);
    }
    copyBack(out, to, end, back);
    to = end;
  }
  if (to !== out.length) throw new RangeError(`a block must have ${out.length} bytes: got ${to}`);
}
