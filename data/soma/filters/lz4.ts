/** LZ4 blocks without a frame. */
import { corrupt, type Place } from "../bytes.ts";

/** Unpacks a block; `length` bytes must come out. */
export function lz4(block: Uint8Array, length: number, place: Place): Uint8Array {
  const out = new Uint8Array(length);
  let from = 0;
  let to = 0;
  const damaged = () =>
    corrupt(`Cannot unpack lz4 data as the block is damaged at byte ${from}`, place);
  const longer = (count: number): number => {
    if (count < 15) return count;
    let more: number;
    do {
      if (from >= block.length) throw damaged();
      more = block[from++]!;
      count += more;
    } while (more === 255);
    return count;
  };
  while (from < block.length) {
    const token = block[from++]!;
    const literals = longer(token >> 4);
    if (from + literals > block.length || to + literals > length) throw damaged();
    out.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === block.length) break;
    if (from + 2 > block.length) throw damaged();
    const back = block[from]! | block[from + 1]! << 8;
    from += 2;
    const repeats = longer(token & 15) + 4;
    if (back === 0 || back > to || to + repeats > length) throw damaged();
    for (const end = to + repeats; to < end; to++) out[to] = out[to - back]!;
  }
  if (to !== length) throw damaged();
  return out;
}
