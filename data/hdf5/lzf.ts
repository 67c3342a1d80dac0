/** LZF, h5py's own filter: h5py/lzf/lzf/lzf_d.c. */
import { checkLength, type Expected } from "../codecs/codec.ts";
import { copyBack } from "../codecs/copy_back.ts";

/** Length of what a chunk unpacks to. */
function unpackedLength(chunk: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < chunk.length;) {
    const control = chunk[at++]!;
    if (control < 32) {
      at += control + 1;
      length += control + 1;
    } else {
      length += (control >> 5) + 2;
      if (control >= 224) length += chunk[at++] ?? 0;
      at++;
    }
  }
  return length;
}

/** Unpacks a chunk. The first pass finds its length, as h5py need not say it: cd_values[2] of its filter may be 0. */
export function unpackLzf(chunk: Uint8Array, expected: Expected): Uint8Array {
  const found = unpackedLength(chunk);
  checkLength(found, expected);
  const out = new Uint8Array(found);
  let [at, to] = [0, 0];
  while (at < chunk.length) {
    const control = chunk[at++]!;
    if (control < 32) {
      const end = at + control + 1;
      if (end > chunk.length) throw new RangeError(`it ends within the bytes at ${at}`);
      while (at < end) out[to++] = chunk[at++]!;
    } else {
      const more = control >= 224 ? 1 : 0;
      if (at + more >= chunk.length) throw new RangeError("it ends within a repetition");
      const end = to + (control >> 5) + 2 + (more === 1 ? chunk[at]! : 0);
      const back = ((control & 31) << 8 | chunk[at + more]!) + 1;
      at += more + 1;
      if (back > to) throw new RangeError(`a repetition begins before the first byte`);
      copyBack(out, to, end, back);
      to = end;
    }
  }
  return out;
}
