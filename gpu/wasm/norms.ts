/** Launches of norms, of softmax and of their gradients. */
import type { KernelTable } from "../device.ts";
import {
  addressOf,
  addressOrZero,
  bitsOf,
  matrix,
  type WasmBuffer,
  type WasmEngine,
  type WasmView,
} from "./engine.ts";
import { addPartials, rowsPerRun, sumColumns, withPartials } from "./sums.ts";

type Norm =
  | "layer_norm"
  | "layer_norm_grad"
  | "batch_norm"
  | "batch_norm_grad"
  | "l2_normalize"
  | "l2_normalize_grad"
  | "softmax"
  | "softmax_grad";

/** Kernels of norms. */
export function normKernels(engine: WasmEngine): Pick<KernelTable<WasmBuffer>, Norm> {
  return { ...layerNormKernels(engine), ...batchNormKernels(engine), ...rowNormKernels(engine) };
}

function layerNormKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "layer_norm" | "layer_norm_grad"> {
  return {
    layer_norm: ({ x, residual, weight, bias }, { y }, { eps }) => {
      const [M, D] = matrix(x);
      const inputs = [addressOf(x), addressOrZero(residual), addressOf(weight), addressOf(bias)];
      engine.launchRows("layerNorm", M, [...inputs, addressOf(y), D, bitsOf(eps)]);
    },
    layer_norm_grad: ({ x, residual, weight, y_gradient }, outputs, { eps }) => {
      const [rows, D] = matrix(x);
      const run = rowsPerRun(D), padded = Math.ceil(D / 8) * 8;
      const inputs = [x, residual, weight, y_gradient, outputs.x_gradient].map(addressOrZero);
      // One row of sums for the weight and one for the bias, side by side.
      withPartials(engine, { rows, run, columns: 2 * padded }, (partials) => {
        const words = [...inputs, D, bitsOf(eps), partials.address];
        engine.launch("layerNormGrad", [rows, run, ...words], partials.runs, D * 4 + 64);
        addPartials(engine, partials, { y: addressOf(outputs.weight_gradient), columns: D });
        const ofBias = { ...partials, address: partials.address + padded * 8 };
        addPartials(engine, ofBias, { y: addressOf(outputs.bias_gradient), columns: D });
      });
    },
  };
}

function batchNormKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "batch_norm" | "batch_norm_grad"> {
  return {
    batch_norm: ({ x, row_weight }, { y, mean, variance }, { eps }) => {
      const [M, D] = matrix(x);
      const divisor = totalWeight(engine, M, row_weight), weight = addressOrZero(row_weight);
      const center = addressOf(mean);
      const sums = { x: addressOf(x), M, D, weight, divisor };
      sumColumns(engine, { ...sums, what: "x", y: center });
      sumColumns(engine, { ...sums, what: "square", center, y: addressOf(variance) });
      const words = [x, mean, variance, y].map(addressOf);
      engine.launchRows("batchNorm", M, [...words, D, bitsOf(eps)]);
    },
    batch_norm_grad: ({ x, mean, variance, y_gradient, row_weight }, { x_gradient }, { eps }) => {
      const [M, D] = matrix(x);
      const divisor = totalWeight(engine, M, row_weight), dy = addressOf(y_gradient);
      const center = addressOf(mean);
      engine.withMemory(D * 8, (means) => {
        const ofProduct = means + D * 4;
        sumColumns(engine, { what: "x", x: dy, M, D, divisor, y: means });
        const product = { what: "product", x: addressOf(x), center, by: dy } as const;
        sumColumns(engine, { ...product, M, D, divisor, y: ofProduct });
        const inputs = [x, mean, variance, y_gradient, row_weight].map(addressOrZero);
        const words = [...inputs, means, ofProduct, addressOf(x_gradient), D, bitsOf(eps)];
        engine.launchRows("batchNormGrad", M, words);
      });
    },
  };
}

/** Sum of the weights of M rows; without any weight 1, so that means are 0. */
function totalWeight(engine: WasmEngine, M: number, weight: WasmView | undefined): number {
  if (weight === undefined) return Math.max(1, M);
  return engine.floats(weight).reduce((total, value) => total + value, 0) || 1;
}

function rowNormKernels(
  engine: WasmEngine,
): Pick<
  KernelTable<WasmBuffer>,
  "l2_normalize" | "l2_normalize_grad" | "softmax" | "softmax_grad"
> {
  return {
    l2_normalize: ({ x }, { y }, { eps }) => {
      const [M, D] = matrix(x);
      engine.launchRows("l2Normalize", M, [addressOf(x), addressOf(y), D, bitsOf(eps)]);
    },
    l2_normalize_grad: ({ x, y_gradient }, { x_gradient }, { eps }) => {
      const [M, D] = matrix(x);
      const words = [addressOf(x), addressOf(y_gradient), addressOf(x_gradient), D, bitsOf(eps)];
      engine.launchRows("l2NormalizeGrad", M, words);
    },
    softmax: ({ x }, { y }) => {
      const [M, D] = matrix(x);
      engine.launchRows("softmax", M, [addressOf(x), addressOf(y), D], D * 4 + 64);
    },
    softmax_grad: ({ y, y_gradient }, { x_gradient }) => {
      const [M, D] = matrix(y);
      const words = [addressOf(y), addressOf(y_gradient), addressOf(x_gradient), D];
      engine.launchRows("softmaxGrad", M, words);
    },
  };
}
