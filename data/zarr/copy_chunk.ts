/** Copying of what chunks and blocks have in common. */
import type { Range, RawArray } from "../storage.ts";
import type { Chunk } from "./chunk.ts";

/** Elements that follow one another from which on the platform's copying is faster than a loop. */
const LONG = 24;

/** An axis along which is copied: how many times, and how far apart what is copied lies in chunk and block. */
interface Axis {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** Where in a chunk and in a block copying begins. */
interface Places {
  readonly from: number;
  readonly to: number;
}

/** A chunk and the block that it is copied into. */
interface Pair {
  readonly chunk: Chunk & { readonly coordinates: readonly number[] };
  /** Lengths of a chunk. */
  readonly chunks: readonly number[];
  readonly block: readonly Range[];
}

/** The axes of what a chunk and a block have in common, and the place of its first element in both. */
function commonOf({ chunk, chunks, block }: Pair): { axes: Axis[]; places: Places } {
  let [from, to, outer] = [0, 0, 1];
  const axes: Axis[] = [];
  for (let axis = block.length - 1; axis >= 0; axis--) {
    const [start, end] = block[axis]!;
    const origin = chunk.coordinates[axis]! * chunks[axis]!;
    const first = Math.max(start, origin);
    const stride = chunk.stride[axis]!;
    axes.unshift({ count: Math.min(end, origin + chunks[axis]!) - first, from: stride, to: outer });
    from += (first - origin) * stride;
    to += (first - start) * outer;
    outer *= end - start;
  }
  return { axes, places: { from, to } };
}

/** Axes of which each that only goes on where the one behind it ends is one with it. */
function joined(axes: readonly Axis[]): Axis[] {
  const out: Axis[] = [];
  for (const axis of axes) {
    const before = out.at(-1);
    const goesOn = before !== undefined && before.from === axis.count * axis.from &&
      before.to === axis.count * axis.to;
    if (goesOn) out[out.length - 1] = { ...axis, count: before.count * axis.count };
    else out.push(axis);
  }
  return out;
}

/** Copies rows of elements that follow one another in both. */
function copyRows(
  target: RawArray,
  data: RawArray,
  { rows, columns, from, to }: { rows: Axis; columns: Axis } & Places,
): void {
  for (let row = 0; row < rows.count; row++, from += rows.from, to += rows.to) {
    target.set(data.subarray(from, from + columns.count) as never, to);
  }
}

/** Copies elements one by one. */
function copyElements(
  target: RawArray | string[],
  data: RawArray | string[],
  { rows, columns, from, to }: { rows: Axis; columns: Axis } & Places,
): void {
  for (let row = 0; row < rows.count; row++, from += rows.from, to += rows.to) {
    for (let k = 0, at = from, put = to; k < columns.count; k++, at += columns.from) {
      target[put] = data[at]!;
      put += columns.to;
    }
  }
}

/** An axis of one element. */
const ONE: Axis = { count: 1, from: 0, to: 0 };

/** Copies what a chunk and a block have in common into the block; returns the number of elements. */
export function copyChunk(target: RawArray | string[], pair: Pair): number {
  const { axes, places } = commonOf(pair);
  const outer = joined(axes);
  const [columns = ONE, rows = ONE] = [outer.pop(), outer.pop()];
  const { data } = pair.chunk;
  const inOrder = columns.from === 1 && columns.to === 1 && columns.count >= LONG;
  const copy = (axis: number, { from, to }: Places): void => {
    const own = outer[axis];
    if (own === undefined) {
      const part = { rows, columns, from, to };
      if (inOrder && !Array.isArray(target) && !Array.isArray(data)) copyRows(target, data, part);
      else copyElements(target, data, part);
      return;
    }
    for (let k = 0; k < own.count; k++) {
      copy(axis + 1, { from: from + k * own.from, to: to + k * own.to });
    }
  };
  copy(0, places);
  return axes.reduce((product, { count }) => product * count, 1);
}
