/** One launch per op: turns views and parameters into argument words of the compiled kernels. */
import type { KernelTable } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import { spreadOf } from "../ops/binary.ts";
import { seedKey } from "../random.ts";
import { attention, attentionPool } from "./attention.ts";
import {
  addressOf,
  addressOrZero,
  bitsOf,
  type WasmBuffer,
  type WasmEngine,
  type WasmView,
} from "./engine.ts";
import { FUNCTION_CODES, linear, matmul } from "./products.ts";

const SPREAD_CODES = { element: 0, row: 1, column: 2 } as const;
const BINARY_CODES = { add: 0, sub: 1, mul: 2 } as const;

/** The kernels of a WASM device. */
export function wasmKernels(engine: WasmEngine): KernelTable<WasmBuffer> {
  return {
    linear: linear(engine),
    matmul: matmul(engine),
    attention: attention(engine),
    attention_pool: attentionPool(engine),
    ...movingKernels(engine),
    ...normingKernels(engine),
    ...reducingKernels(engine),
    ...elementKernels(engine),
  };
}

/** Kernels that take rows from one place to another. */
function movingKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "gather_rows" | "concat" | "swap_axes"> {
  return {
    gather_rows: ({ table, index, base }, { y }) => {
      const [T, D] = matrix(y);
      const words = [
        addressOf(table),
        addressOf(index),
        addressOrZero(base),
        addressOf(y),
        D,
        table.shape[0] ?? 0,
      ];
      engine.launchRows("gatherRows", T, words);
    },
    concat: ({ a, b }, { y }) => {
      const [M, D] = matrix(a);
      engine.launchRows("concat", M, [
        addressOf(a),
        addressOf(b),
        addressOf(y),
        D,
        b.shape.at(-1) ?? 0,
      ]);
    },
    swap_axes: ({ x }, { y }) => {
      const [A = 0, B = 0, D = 0] = x.shape;
      engine.launchRows("swapAxes", A * B, [addressOf(x), addressOf(y), A, B, D]);
    },
  };
}

/** Kernels that normalise rows. */
function normingKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "layer_norm" | "l2_normalize" | "softmax"> {
  return {
    layer_norm: ({ x, residual, weight, bias }, { y }, { eps }) => {
      const [M, D] = matrix(x);
      const inputs = [addressOf(x), addressOrZero(residual), addressOf(weight), addressOf(bias)];
      engine.launchRows("layerNorm", M, [...inputs, addressOf(y), D, bitsOf(eps)]);
    },
    l2_normalize: ({ x }, { y }, { eps }) => {
      const [M, D] = matrix(x);
      engine.launchRows("l2Normalize", M, [addressOf(x), addressOf(y), D, bitsOf(eps)]);
    },
    softmax: ({ x }, { y }) => {
      const [M, D] = matrix(x);
      engine.launchRows("softmax", M, [addressOf(x), addressOf(y), D], D * 4 + 64);
    },
  };
}

/** Kernels that make less of a row, or of a cell's rows. */
function reducingKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "row_dot" | "segment_pool" | "top_k"> {
  return {
    row_dot: ({ a, b }, { y }) => {
      const [M, D] = matrix(a);
      engine.launchRows("rowDot", M, [addressOf(a), addressOf(b), addressOf(y), D]);
    },
    segment_pool: ({ x, offsets, weight }, { y }, { mode }) => {
      const [B, D] = matrix(y);
      const words = [
        addressOf(x),
        addressOf(offsets),
        addressOrZero(weight),
        addressOf(y),
        D,
        mode === "mean" ? 1 : 0,
      ];
      engine.launchRows("segmentPool", B, words, D * 4 + 64);
    },
    top_k: ({ x }, { value, index }, { k }) => {
      const [M, N] = matrix(x);
      engine.launchRows("topK", M, [addressOf(x), addressOf(value), addressOf(index), N, k]);
    },
  };
}

/** Kernels over single elements. */
function elementKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "binary" | "unary" | "dropout"> {
  return {
    binary: ({ a, b }, { y }, { fn }) => {
      const [M, D] = matrix(a);
      const spread = SPREAD_CODES[spreadOf(a.shape, b.shape)];
      const words = [addressOf(a), addressOf(b), addressOf(y), D, BINARY_CODES[fn], spread];
      engine.launchRows("binary", M, words);
    },
    unary: ({ x }, { y }, { fn }) => {
      const [M, D] = matrix(x);
      engine.launchRows("unary", M, [addressOf(x), addressOf(y), D, FUNCTION_CODES[fn]]);
    },
    dropout: ({ x, row_key }, { y }, { p, seed, stream }) => {
      const [M, D] = matrix(x);
      const draw = [Math.floor(p * 2 ** 32), bitsOf(1 / (1 - p)), ...seedKey(seed), stream];
      engine.launchRows("dropout", M, [
        addressOf(x),
        addressOrZero(row_key),
        addressOf(y),
        D,
        ...draw,
      ]);
    },
  };
}

/** A view as rows of its last axis. */
function matrix(view: WasmView): [number, number] {
  const width = view.shape.at(-1) ?? 1;
  return [width === 0 ? 0 : sizeOf(view.shape) / width, width];
}
