/** Launches of the kernels over single elements, and of the optimiser's step. */
import type { KernelTable } from "../device.ts";
import { spreadOf } from "../ops/binary.ts";
import { dropThreshold } from "../ops/dropout.ts";
import type { AdamParams, UnaryFunction } from "../ops.ts";
import { seedKey } from "../random.ts";
import {
  addressOf,
  addressOrZero,
  bitsOf,
  matrix,
  type WasmBuffer,
  type WasmEngine,
} from "./engine.ts";

const SPREAD_CODES = { element: 0, row: 1, column: 2 } as const;
const BINARY_CODES = { add: 0, sub: 1, mul: 2 } as const;

/** Codes of functions in `kernels/functions.ts`; the micro-kernel knows the first three itself. */
export const FUNCTION_CODES = {
  none: 0,
  relu: 1,
  leaky_relu: 2,
  sigmoid: 3,
  tanh: 4,
  gelu: 5,
  log1p: 6,
} as const satisfies Record<UnaryFunction, number>;

/** Kernels over single elements. */
export function elementKernels(
  engine: WasmEngine,
): Pick<
  KernelTable<WasmBuffer>,
  "binary" | "scale_add" | "unary" | "unary_grad" | "dropout" | "accumulate" | "adam"
> {
  return {
    binary: ({ a, b }, { y }, { fn }) => {
      const [M, D] = matrix(a);
      const spread = spreadOf(a.shape, b.shape);
      const words = (width: number) => {
        const views = [addressOf(a), addressOf(b), addressOf(y)];
        return [...views, width, BINARY_CODES[fn], SPREAD_CODES[spread]];
      };
      if (spread === "element") engine.launchElements("binary", a, words(1));
      else engine.launchRows("binary", M, words(D));
    },
    scale_add: ({ x, z }, { y }, { alpha, beta }) => {
      const views = [addressOf(x), addressOrZero(z), addressOf(y)];
      engine.launchElements("scaleAdd", x, [...views, bitsOf(alpha), bitsOf(beta)]);
    },
    accumulate: ({ x }, { sum }, { keep, scale }) => {
      const before = keep === 0 ? 0 : addressOf(sum);
      const views = [addressOf(x), before, addressOf(sum)];
      engine.launchElements("scaleAdd", x, [...views, bitsOf(scale), bitsOf(keep)]);
    },
    unary: ({ x }, { y }, { fn }) =>
      engine.launchElements("unary", x, [addressOf(x), addressOf(y), FUNCTION_CODES[fn]]),
    unary_grad: ({ value, y_gradient }, { x_gradient }, { fn }) => {
      const views = [addressOf(value), addressOf(y_gradient), addressOf(x_gradient)];
      engine.launchElements("unaryGrad", value, [...views, FUNCTION_CODES[fn]]);
    },
    dropout: ({ x, row_key }, { y }, { p, seed, stream }) => {
      const [M, D] = matrix(x);
      const draw = [dropThreshold(p), bitsOf(1 / (1 - p)), ...seedKey(seed), stream];
      const views = [addressOf(x), addressOrZero(row_key), addressOf(y)];
      engine.launchRows("dropout", M, [...views, D, ...draw], 512);
    },
    adam: ({ gradient, squares }, { weight, m, v }, params) => {
      const views = [gradient, squares, weight, m, v].map(addressOf);
      engine.launchElements("adam", gradient, [...views, ...adamWords(params)]);
    },
  };
}

/** The numbers of a step: bias corrections in double precision, as torch computes them. */
function adamWords(params: AdamParams): number[] {
  const { lr, beta1, beta2, eps, weightDecay, decoupled, step, maxNorm } = params;
  const stepSize = lr / (1 - beta1 ** step);
  const rootOfCorrection = Math.sqrt(1 - beta2 ** step);
  const penalty = decoupled ? 0 : weightDecay, keep = decoupled ? 1 - lr * weightDecay : 1;
  const decays = [beta1, 1 - beta1, beta2, 1 - beta2];
  return [maxNorm, penalty, keep, ...decays, stepSize, rootOfCorrection, eps].map(bitsOf);
}
