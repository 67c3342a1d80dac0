/** Copying of what chunks and blocks have in common. */
import type { Range, RawArray } from "../storage.ts";
import type { Chunk } from "./chunk.ts";

/** A run of elements along the last axis. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly step: number;
}

/** Copies one run. */
function copyRun(target: RawArray | string[], data: RawArray | string[], run: Run): void {
  if (run.step === 1 && !Array.isArray(target) && !Array.isArray(data)) {
    target.set(data.subarray(run.from, run.from + run.count) as never, run.to);
    return;
  }
  for (let k = 0; k < run.count; k++) target[run.to + k] = data[run.from + k * run.step]!;
}

/** Copies what a chunk and a block have in common into the block. */
export function copyChunk(
  target: RawArray | string[],
  chunk: Chunk & { coordinates: readonly number[] },
  { block, chunks }: { block: readonly Range[]; chunks: readonly number[] },
): void {
  const rank = block.length;
  const common = block.map(([start, end], axis) => {
    const origin = chunk.coordinates[axis]! * chunks[axis]!;
    return { origin, start: Math.max(start, origin), end: Math.min(end, origin + chunks[axis]!) };
  });
  const copy = (axis: number, from: number, to: number): void => {
    const { origin, start, end } = common[axis]!;
    const outer = block.slice(axis + 1).reduce((product, [a, b]) => product * (b - a), 1);
    const first = from + (start - origin) * chunk.stride[axis]!;
    const place = to + (start - block[axis]![0]) * outer;
    if (axis === rank - 1) {
      const step = chunk.stride[axis]!;
      return copyRun(target, chunk.data, { from: first, to: place, count: end - start, step });
    }
    for (let k = 0; k < end - start; k++) {
      copy(axis + 1, first + k * chunk.stride[axis]!, place + k * outer);
    }
  };
  if (rank === 0) target[0] = chunk.data[0]!;
  else copy(0, 0, 0);
}
