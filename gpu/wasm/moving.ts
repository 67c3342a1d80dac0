/** Launches of the kernels that take rows from one place to another, or make less of a row or of a cell's rows. */
import type { Kernel, KernelTable } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import { addressOf, addressOrZero, matrix, type WasmBuffer, type WasmEngine } from "./engine.ts";

type Moving =
  | "gather_rows"
  | "scatter_rows"
  | "concat"
  | "slice_columns"
  | "swap_axes"
  | "segment_pool"
  | "segment_spread"
  | "row_dot"
  | "top_k";

/** Kernels that move rows. */
export function movingKernels(engine: WasmEngine): Pick<KernelTable<WasmBuffer>, Moving> {
  return {
    ...placingKernels(engine),
    ...segmentKernels(engine),
    gather_rows: ({ table, index, base }, { y }) => {
      const [T, D] = matrix(y);
      const views = [addressOf(table), addressOf(index), addressOrZero(base), addressOf(y)];
      engine.launchRows("gatherRows", T, [...views, D, table.shape[0] ?? 0]);
    },
    scatter_rows: scatterRows(engine),
    row_dot: ({ a, b }, { y }) => {
      const [M, D] = matrix(a);
      engine.launchRows("rowDot", M, [addressOf(a), addressOf(b), addressOf(y), D]);
    },
    top_k: ({ x }, { value, index }, { k }) => {
      const [M, N] = matrix(x);
      engine.launchRows("topK", M, [addressOf(x), addressOf(value), addressOf(index), N, k]);
    },
  };
}

function placingKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "concat" | "slice_columns" | "swap_axes"> {
  return {
    concat: ({ a, b }, { y }) => {
      const [M, D] = matrix(a);
      const words = [addressOf(a), addressOf(b), addressOf(y), D, b.shape.at(-1) ?? 0];
      engine.launchRows("concat", M, words);
    },
    slice_columns: ({ x }, { y }, { start }) => {
      const [M, D] = matrix(x);
      const words = [addressOf(x), start, addressOf(y), D, y.shape.at(-1) ?? 0];
      engine.launchRows("sliceColumns", M, words);
    },
    swap_axes: ({ x }, { y }) => {
      const [A = 0, B = 0, D = 0] = x.shape;
      if (D === 1) transpose(engine, { x: addressOf(x), y: addressOf(y), A, B });
      else engine.launchRows("swapAxes", A * B, [addressOf(x), addressOf(y), A, B, D]);
    },
  };
}

/** y[b,a] = x[a,b] over single floats at the given addresses. */
export function transpose(
  engine: WasmEngine,
  { x, y, A, B }: { x: number; y: number; A: number; B: number },
): void {
  const rows = 16; // a cache line of y
  engine.launch("transpose", [A, rows, x, y, B], Math.ceil(A / rows));
}

function segmentKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "segment_pool" | "segment_spread"> {
  return {
    segment_pool: ({ x, offsets, weight }, { y }, { mode }) => {
      const [B, D] = matrix(y);
      const views = [addressOf(x), addressOf(offsets), addressOrZero(weight), addressOf(y)];
      engine.launchRows("segmentPool", B, [...views, D, mode === "mean" ? 1 : 0], D * 4 + 64);
    },
    segment_spread: ({ x, offsets }, { y }, { mode }) => {
      const [B, D] = matrix(x);
      const views = [addressOf(x), addressOf(offsets), addressOf(y)];
      engine.launchRows("segmentSpread", B, [...views, D, mode === "mean" ? 1 : 0]);
    },
  };
}

/** Zeros, then the sum of each row that has tokens; a row's tokens are listed first, so that each row is one thread's. */
function scatterRows(engine: WasmEngine): Kernel<"scatter_rows", WasmBuffer> {
  return ({ values, index }, { table }, { rows, paddingIdx }) => {
    const size = sizeOf(table.shape), zeros = 2 ** 18;
    engine.launch("zero", [size, zeros, addressOf(table)], Math.ceil(size / zeros));
    if (rows === 0) return;
    const { entries, order } = tokensByRow(engine.integers(index), rows, paddingIdx);
    engine.withWords(
      entries,
      (entryWords) =>
        engine.withWords(order, (orderWords) => {
          const words = [entryWords, orderWords, addressOf(table), matrix(values)[1]];
          engine.launchRows("scatterRows", entries.length / 3, [addressOf(values), ...words]);
        }),
    );
  };
}

/** Tokens sorted by row, in ascending order within a row, and three words for each row that has some: row, first, last. */
function tokensByRow(
  index: Uint32Array,
  rows: number,
  paddingIdx: number,
): { entries: Uint32Array; order: Uint32Array } {
  const next = new Uint32Array(rows + 1); // where the next token of a row goes
  for (const row of index) next[Math.min(row, rows - 1) + 1]!++;
  const entries: number[] = [];
  for (let row = 0; row < rows; row++) {
    const first = next[row]!, last = first + next[row + 1]!;
    next[row + 1] = last;
    if (last > first && row !== paddingIdx) entries.push(row, first, last);
  }
  const order = new Uint32Array(index.length);
  index.forEach((row, t) => order[next[Math.min(row, rows - 1)]!++] = t);
  return { entries: Uint32Array.from(entries), order };
}
