/** Run lengths of cells: value, then a big-endian count of 16 bits. */
import { corrupt, type Place } from "../bytes.ts";

/** Unpacks runs; `length` bytes must come out. */
export function runLengths(
  runs: Uint8Array,
  length: number,
  options: { readonly cellSize: number; readonly place: Place },
): Uint8Array {
  const { cellSize, place } = options;
  const out = new Uint8Array(length);
  let to = 0;
  for (let from = 0; from + cellSize + 2 <= runs.length; from += cellSize + 2) {
    const count = runs[from + cellSize]! << 8 | runs[from + cellSize + 1]!;
    const end = to + count * cellSize;
    if (end > length) break;
    if (cellSize === 1) out.fill(runs[from]!, to, end);
    else {
      for (let at = to; at < end; at += cellSize) {
        for (let k = 0; k < cellSize; k++) out[at + k] = runs[from + k]!;
      }
    }
    to = end;
  }
  if (to === length && runs.length % (cellSize + 2) === 0) return out;
  throw corrupt(`Cannot unpack run lengths as ${length} bytes must come out: got others`, place);
}
