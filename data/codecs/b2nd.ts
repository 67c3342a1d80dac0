/** Arrays in frames of Blosc 2, which are cut into chunks and those into blocks along every axis: README_B2ND_METALAYER.rst. */

/** Codes of msgpack: numbers of 32 and of 64 bits, and the beginning of a list, to which its length is added. */
const INT32 = 0xd2, INT64 = 0xd3, LIST = 0x90;

/** How an array lies in a frame. */
export interface Grid {
  readonly shape: readonly number[];
  /** Shapes of a chunk and of a block; those at the end of an axis are filled up. */
  readonly chunk: readonly number[];
  readonly block: readonly number[];
  /** Bytes of an element. */
  readonly size: number;
}

const product = (numbers: readonly number[]) => numbers.reduce((all, one) => all * one, 1);
const counts = (whole: readonly number[], part: readonly number[]) =>
  whole.map((length, axis) => Math.ceil(length / part[axis]!));

/** Reads what a frame says of its array. */
export function readGrid(meta: Uint8Array, size: number): Grid {
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength);
  const damaged = () => new RangeError("the shape of its array is damaged");
  if (meta.length < 3) throw damaged();
  const axes = meta[2]!;
  let at = 3;
  const list = (code: number): number[] => {
    const width = code === INT64 ? 8 : 4;
    const end = at + 1 + axes * (1 + width);
    if (axes > 15 || end > meta.length || meta[at] !== LIST + axes) throw damaged();
    const numbers: number[] = [];
    for (at++; at < end; at += 1 + width) {
      if (meta[at] !== code) throw damaged();
      numbers.push(width === 8 ? Number(view.getBigInt64(at + 1)) : view.getInt32(at + 1));
    }
    return numbers;
  };
  const [shape, chunk, block] = [list(INT64), list(INT32), list(INT32)] as const;
  for (let axis = 0; axis < axes; axis++) {
    const [a, b, c] = [block[axis]!, chunk[axis]!, shape[axis]!];
    if (a < 1 || a > b || b > c) throw damaged();
  }
  return { shape, chunk, block, size };
}

/** Bytes of the array; of a chunk with what fills it up; and how many of them there are. */
export function gridSizes({ shape, chunk, block, size }: Grid) {
  const filled = counts(chunk, block).map((count, axis) => count * block[axis]!);
  return {
    length: size * product(shape),
    chunkLength: size * product(filled),
    count: product(counts(shape, chunk)),
  };
}

/** Where along each axis the k-th part begins. */
function origin(k: number, whole: readonly number[], part: readonly number[]): number[] {
  const at = new Array<number>(whole.length);
  const along = counts(whole, part);
  for (let axis = whole.length - 1; axis >= 0; axis--) {
    at[axis] = k % along[axis]! * part[axis]!;
    k = Math.floor(k / along[axis]!);
  }
  return at;
}

/** Bytes from one element to the next along each axis. */
function strides(shape: readonly number[], size: number): number[] {
  const out = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = size;
    size *= shape[axis]!;
  }
  return out;
}

/** Puts the blocks of the k-th chunk to their places in the array. */
export function placeChunk(bytes: Uint8Array, k: number, grid: Grid, out: Uint8Array): void {
  const { shape, chunk, block, size } = grid;
  const [from, to] = [strides(block, size), strides(shape, size)];
  const first = origin(k, shape, chunk);
  const length = size * product(block);
  const last = shape.length - 1;
  for (let n = 0; n < product(counts(chunk, block)); n++) {
    const begin = origin(n, chunk, block);
    const extents = block.map((most, axis) =>
      Math.min(most, chunk[axis]! - begin[axis]!, shape[axis]! - first[axis]! - begin[axis]!)
    );
    if (extents.some((extent) => extent <= 0)) continue;
    const copy = (axis: number, source: number, target: number): void => {
      if (axis >= last) {
        const row = axis > last ? size : extents[last]! * size;
        out.set(bytes.subarray(source, source + row), target);
      } else {
        for (let i = 0; i < extents[axis]!; i++) {
          copy(axis + 1, source + i * from[axis]!, target + i * to[axis]!);
        }
      }
    };
    const start = begin.reduce((sum, at, axis) => sum + (first[axis]! + at) * to[axis]!, 0);
    copy(0, n * length, start);
  }
}
