/** LZ4: blocks, and the filter of the HDF5 plugins that holds several. */
import { checkDensity, checkLength, type Expected } from "./codec.ts";

/** Bytes of a copy from which on calling the platform's is faster than a loop. */
const LONG = 32;

/** The most bytes that one byte can stand for. */
const DENSEST = 255;

/** A place in a packed block. */
interface Cursor {
  readonly block: Uint8Array;
  at: number;
}

/** The damage of a block. */
function damaged(cursor: Cursor): RangeError {
  return new RangeError(`a block is damaged before byte ${cursor.at}`);
}

/** A length of 15 and more goes on in further bytes. */
function longer(cursor: Cursor): number {
  const { block } = cursor;
  let count = 15;
  for (let more = 255; more === 255;) {
    if (cursor.at >= block.length) throw damaged(cursor);
    more = block[cursor.at++]!;
    count += more;
  }
  return count;
}

/** Copies `count` literals. */
function copyLiterals(cursor: Cursor, out: Uint8Array, to: number, count: number): void {
  const { block, at } = cursor;
  if (at + count > block.length || to + count > out.length) throw damaged(cursor);
  if (count >= LONG) out.set(block.subarray(at, at + count), to);
  else for (let k = 0; k < count; k++) out[to + k] = block[at + k]!;
  cursor.at = at + count;
}

/**
 * Unpacks a block that must fill `out`: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @throws {RangeError} where it is damaged.
 */
export function unpackLz4(block: Uint8Array, out: Uint8Array): void {
  const cursor: Cursor = { block, at: 0 };
  let to = 0;
  while (cursor.at < block.length) {
    const token = block[cursor.at++]!;
    const literals = token < 240 ? token >> 4 : longer(cursor);
    copyLiterals(cursor, out, to, literals);
    to += literals;
    const { at } = cursor;
    if (at === block.length) break;
    if (at + 2 > block.length) throw damaged(cursor);
    const back = block[at]! | block[at + 1]! << 8;
    cursor.at = at + 2;
    const repeats = ((token & 15) < 15 ? token & 15 : longer(cursor)) + 4;
    const end = to + repeats;
    if (back === 0 || back > to || end > out.length) throw damaged(cursor);
    if (back >= repeats && repeats >= LONG) out.copyWithin(to, to - back, end - back);
    else for (let k = to; k < end; k++) out[k] = out[k - back]!;
    to = end;
  }
  if (to !== out.length) throw new RangeError(`a block must have ${out.length} bytes: got ${to}`);
}

/** Unpacks a chunk of the filter: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md, H5Zlz4.c. */
export function unpackLz4Chunk(chunk: Uint8Array, expected: Expected): Uint8Array {
  if (chunk.length < 12) throw new RangeError("its header is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const claimed = Number(view.getBigUint64(0));
  const blockLength = view.getUint32(8);
  checkLength(claimed, expected);
  checkDensity(chunk, claimed, DENSEST);
  if (blockLength === 0 && claimed > 0) throw new RangeError("its blocks have no bytes");
  const out = new Uint8Array(claimed);
  let at = 12;
  for (let to = 0; to < claimed; to += blockLength) {
    if (at + 4 > chunk.length) throw new RangeError("it ends before its last block");
    const packed = view.getUint32(at);
    const end = at + 4 + packed;
    if (end > chunk.length) throw new RangeError("a block goes beyond it");
    const part = out.subarray(to, Math.min(to + blockLength, claimed));
    const block = chunk.subarray(at + 4, end);
    if (packed === part.length) part.set(block);
    else unpackLz4(block, part);
    at = end;
  }
  if (at !== chunk.length) throw new RangeError(`${chunk.length - at} bytes follow its last block`);
  return out;
}
