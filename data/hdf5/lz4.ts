/** LZ4: blocks, and the filter of the HDF5 plugins that holds several. */
import { checkDensity, checkLength, type Expected } from "./codec.ts";
import { copyBack } from "./copy_back.ts";

/** The most bytes that one byte can stand for. */
const DENSEST = 255;

/** Literals from which on the platform's copying is faster than a loop. */
const LONG = 32;

/** The damage of a block. */
function damaged(at: number): RangeError {
  return new RangeError(`a block is damaged before byte ${at}`);
}

/**
 * Unpacks a block that must fill `out`: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @throws {RangeError} where it is damaged.
 */
export function unpackLz4(block: Uint8Array, out: Uint8Array): void {
  // Places are plain variables and lengths read in place: objects and closures halve the speed.
  let [at, to] = [0, 0];
  while (at < block.length) {
    const token = block[at++]!;
    let count = token >> 4;
    for (let more = count === 15 ? 255 : 0; more === 255; count += more) {
      if (at >= block.length) throw damaged(at);
      more = block[at++]!;
    }
    let end = to + count;
    if (at + count > block.length || end > out.length) throw damaged(at);
    if (count < LONG) { while (to < end) out[to++] = block[at++]!; }
    else {
      out.set(block.subarray(at, at + count), to);
      at += count;
      to = end;
    }
    if (at === block.length) break;
    if (at + 2 > block.length) throw damaged(at);
    const back = block[at]! | block[at + 1]! << 8;
    at += 2;
    count = (token & 15) + 4;
    for (let more = count === 19 ? 255 : 0; more === 255; count += more) {
      if (at >= block.length) throw damaged(at);
      more = block[at++]!;
    }
    end = to + count;
    if (back === 0 || back > to || end > out.length) throw damaged(at);
    copyBack(out, to, end, back);
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
