/** BloscLZ: https://github.com/Blosc/c-blosc/blob/main/blosc/blosclz.c, blosclz_decompress. */
import { copyBack } from "./copy_back.ts";

/** The farthest that the short form of a distance reaches. */
const FAR = 8191;

/** A repetition: where it is read on, how long it is, how far back. */
interface Repeat {
  readonly at: number;
  readonly length: number;
  readonly back: number;
}

/** Reads what follows the control byte of a repetition. */
function readRepeat(block: Uint8Array, control: number, at: number): Repeat {
  const byte = () => {
    if (at >= block.length) throw new RangeError("a block ends within a repetition");
    return block[at++]!;
  };
  let length = (control >> 5) + 2;
  if (control >= 224) {
    for (let more = 255; more === 255; length += more) more = byte();
  }
  const low = byte();
  const back = ((control & 31) << 8) + low;
  // A distance of all ones is followed by one of 16 bits.
  return { length, back: (back === FAR ? FAR + (byte() << 8 | byte()) : back) + 1, at };
}

/** Unpacks a block that must fill `out`; throws where it is damaged. */
export function unpackBloscLz(block: Uint8Array, out: Uint8Array): void {
  let [at, to] = [0, 0];
  while (at < block.length) {
    // The first byte has no room for a repetition, as nothing stands before it.
    const control = at === 0 ? block[at++]! & 31 : block[at++]!;
    if (control < 32) {
      const end = at + control + 1;
      if (end > block.length || to + control >= out.length) {
        throw new RangeError(`a block is damaged before byte ${at}`);
      }
      while (at < end) out[to++] = block[at++]!;
      continue;
    }
    const repeat = readRepeat(block, control, at);
    at = repeat.at;
    const end = to + repeat.length;
    if (repeat.back > to || end > out.length) {
      throw new RangeError(`a block is damaged before byte ${at}`);
    }
    copyBack(out, to, end, repeat.back);
    to = end;
  }
  if (to !== out.length) throw new RangeError(`a block must have ${out.length} bytes: got ${to}`);
}
