/** Cases of the losses and of their gradients. */
import {
  type Cases,
  floats,
  type HostFloats,
  indices,
  normal,
  type OpCase,
  uniform,
  words,
} from "./draw.ts";
import type { PointwiseLoss } from "../../../gpu/ops.ts";

function crossEntropyCase(name: string, [M, C]: [number, number], scale = 1) {
  const inputs = {
    logits: normal([M, C], scale),
    target: indices(M, C),
    weight: uniform([M], 0, 1),
  };
  return { name, inputs, params: {} };
}

function pointwiseCase(
  fn: PointwiseLoss,
  name: string,
  [pred, target]: readonly [HostFloats, HostFloats],
): OpCase<"pointwise_loss"> {
  return {
    name: `${fn} ${name}`,
    inputs: { pred, target, weight: uniform(pred.shape, 0, 1) },
    params: { fn },
  };
}

/** Targets of which about half are 0. */
function halfZeros(length: number): HostFloats {
  const { shape, data } = normal([length]);
  return floats(shape, [...data].map((value) => Math.max(value, 0)));
}

const CROSS_ENTROPY_CASES: readonly OpCase<"cross_entropy">[] = [
  crossEntropyCase("odd", [5, 7]),
  crossEntropyCase("many rows", [2003, 10], 3),
  crossEntropyCase("many classes", [3, 3001], 2),
  crossEntropyCase("one class", [3, 1]),
  crossEntropyCase("no row", [0, 5]),
  {
    name: "far apart, rows without weight",
    inputs: {
      logits: floats([3, 4], [-1e4, 0, 1e4, 5, 200, 100, 0, 199, -300, -301, -305, -300]),
      target: words([3], [2, 3, 1]),
      weight: floats([3], [1, 0.5, 0]),
    },
    params: {},
  },
];

const POINTWISE_CASES: readonly OpCase<"pointwise_loss">[] = [
  pointwiseCase("squared_error", "odd", [normal([7]), normal([7])]),
  pointwiseCase("squared_error", "many", [normal([5003]), normal([5003])]),
  pointwiseCase("squared_error", "nothing", [normal([0]), normal([0])]),
  pointwiseCase("bernoulli", "odd", [uniform([9], 0.05, 0.95), halfZeros(9)]),
  pointwiseCase("bernoulli", "many", [uniform([5003], 0.01, 0.99), halfZeros(5003)]),
  pointwiseCase("bernoulli", "clamped", [
    floats([8], [0, 0, 1, 1, -0.5, 1.5, 0.25, 0.25]),
    floats([8], [1, 0, 1, 0, 2, 0, 3, 0]),
  ]),
  pointwiseCase("bernoulli", "near the ends", [
    floats([6], [1e-4, 1e-4, 1e-6, 1 - 2 ** -14, 1 - 2 ** -14, 1 - 2 ** -20]),
    floats([6], [1, 0, 0, 1, 0, 1]),
  ]),
  pointwiseCase("bernoulli", "nothing", [normal([0]), normal([0])]),
];

function withLossGradient<Inputs>(inputs: Inputs): Inputs & { loss_gradient: HostFloats } {
  return { ...inputs, loss_gradient: floats([1], [-1.7]) };
}

/** Cases of `cross_entropy` and `pointwise_loss`. */
export const LOSS_CASES: Cases<
  "cross_entropy" | "cross_entropy_grad" | "pointwise_loss" | "pointwise_loss_grad"
> = {
  cross_entropy: CROSS_ENTROPY_CASES,
  cross_entropy_grad: CROSS_ENTROPY_CASES.map((of) => ({
    ...of,
    inputs: withLossGradient(of.inputs),
  })),
  pointwise_loss: POINTWISE_CASES,
  pointwise_loss_grad: POINTWISE_CASES.map((of) => ({
    ...of,
    inputs: withLossGradient(of.inputs),
  })),
};
