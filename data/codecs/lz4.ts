/** Blocks of LZ4. */
import { copyBack } from "./copy_back.ts";

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
