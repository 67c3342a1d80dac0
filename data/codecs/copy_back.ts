/** Repetitions of bytes that were just written, which all compressors of the LZ family have. */

/** Bytes from which on the platform's copying is faster than a loop. */
const LONG = 64;

/** Fills `to` up to `end` with the bytes that begin `back` before it, some of which it may write itself. */
export function copyBack(out: Uint8Array, to: number, end: number, back: number): void {
  if (end - to < LONG) {
    for (let from = to - back; to < end;) out[to++] = out[from++]!;
  } else if (back === 1) out.fill(out[to - 1]!, to, end);
  else copyLong(out, to, end, back);
}

/** Copies what is there, which doubles it. */
function copyLong(out: Uint8Array, to: number, end: number, back: number): void {
  const from = to - back;
  while (to < end) {
    const count = Math.min(to - from, end - to);
    out.copyWithin(to, from, from + count);
    to += count;
  }
}
