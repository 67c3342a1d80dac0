/** Blocks of arrays: one half-open range per axis, elements in row-major order. */
import type { Range } from "../storage.ts";

/** Lengths of a block's axes. */
export function lengthsOf(block: readonly Range[]): number[] {
  return block.map(([start, end]) => end - start);
}

/** Elements of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A range inside `0 .. length`. */
export function clampRange(range: Range | undefined, length: number): Range {
  const start = Math.min(range?.[0] ?? 0, length);
  return [start, Math.max(start, Math.min(range?.[1] ?? length, length))];
}

/** What two blocks have in common; undefined where that is nothing. */
export function overlap(a: readonly Range[], b: readonly Range[]): Range[] | undefined {
  const common = a.map(([start, end], axis): Range => {
    const [from, to] = b[axis]!;
    return [Math.max(start, from), Math.min(end, to)];
  });
  return common.every(([start, end]) => start < end) ? common : undefined;
}

/** Bytes of a block of an array. */
export interface BlockBytes {
  readonly bytes: Uint8Array;
  readonly block: readonly Range[];
}

/**
 * Copies the elements that two blocks have in common.
 *
 * @param size Bytes of an element.
 */
export function copyCommon(target: BlockBytes, source: BlockBytes, size: number): void {
  const common = overlap(target.block, source.block);
  if (common === undefined) return;
  const rank = common.length;
  // Axes behind `run` are whole in both, so that elements along it follow one another.
  let run = rank;
  const whole = (axis: number) =>
    [target, source].every(({ block }) =>
      block[axis]![0] === common[axis]![0] && block[axis]![1] === common[axis]![1]
    );
  do run--; while (run > 0 && whole(run));
  copyAxis({ target, source, common, size, run: Math.max(0, run) }, 0, [0, 0]);
}

interface Copy {
  readonly target: BlockBytes;
  readonly source: BlockBytes;
  readonly common: readonly Range[];
  readonly size: number;
  readonly run: number;
}

/** Copies along one axis; `places` are the elements reached so far in target and source. */
function copyAxis(copy: Copy, axis: number, places: readonly [number, number]): void {
  const { target, source, common, size, run } = copy;
  const [start, end] = common[axis] ?? [0, 1];
  const place = (k: 0 | 1, index: number) => {
    const { block } = k === 0 ? target : source;
    const [from, to] = block[axis] ?? [0, 1];
    return places[k] * (to - from) + index - from;
  };
  if (axis < run) {
    for (let index = start; index < end; index++) {
      copyAxis(copy, axis + 1, [place(0, index), place(1, index)]);
    }
    return;
  }
  const behind = elementsOf(lengthsOf(common.slice(axis + 1))) * size;
  const [to, from] = [place(0, start) * behind, place(1, start) * behind];
  target.bytes.set(source.bytes.subarray(from, from + (end - start) * behind), to);
}
