/** Cases of the ops in place. */
import type { AdamParams, UpdateName } from "../../../gpu/ops.ts";
import { floats, normal, uniform, type UpdateCase } from "./draw.ts";

const ADAM: AdamParams = {
  lr: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0,
  decoupled: false,
  step: 3,
  maxNorm: Infinity,
};

/** Small weights and a large rate, so that the step is most of the result. */
function adamCase(name: string, size: number, more: Partial<AdamParams> = {}): UpdateCase<"adam"> {
  return {
    name,
    inputs: { gradient: normal([size]), squares: floats([1], [6.25]) },
    targets: { weight: normal([size], 0.1), m: normal([size]), v: uniform([size], 0, 2) },
    params: { ...ADAM, ...more },
  };
}

/** Cases by op: leaving one out does not compile. */
export const UPDATE_CASES: { readonly [K in UpdateName]: readonly UpdateCase<K>[] } = {
  accumulate: [
    {
      name: "odd",
      inputs: { x: normal([5, 67]) },
      targets: { sum: normal([5, 67]) },
      params: { keep: 1, scale: 1 },
    },
    {
      name: "a mean that moves",
      inputs: { x: normal([1003]) },
      targets: { sum: normal([1003]) },
      params: { keep: 0.9, scale: 0.1 },
    },
    {
      name: "a copy",
      inputs: { x: normal([3]) },
      targets: { sum: normal([3]) },
      params: { keep: 0, scale: 1 },
    },
    {
      name: "nothing",
      inputs: { x: normal([0]) },
      targets: { sum: normal([0]) },
      params: { keep: 1, scale: 1 },
    },
  ],
  accumulate_squares: [
    ...[1, 7, 1003, 100_003].map((size) => ({
      name: `${size}`,
      inputs: { x: normal([size]) },
      targets: { sum: floats([1], [3.5]) },
      params: {},
    })),
    {
      name: "of any shape",
      inputs: { x: normal([3, 5, 7]) },
      targets: { sum: floats([1], [0]) },
      params: {},
    },
    {
      name: "nothing",
      inputs: { x: normal([0]) },
      targets: { sum: floats([1], [3.5]) },
      params: {},
    },
  ],
  adam: [
    adamCase("plain", 1003),
    adamCase("one", 1),
    adamCase("nothing", 0),
    adamCase("with L2 penalty", 67, { weightDecay: 0.5 }),
    adamCase("decoupled decay", 67, { weightDecay: 0.5, decoupled: true }),
    adamCase("clipped", 67, { maxNorm: 1 }),
    adamCase("below the norm", 67, { maxNorm: 3 }),
    adamCase("clipped with L2 penalty", 67, { maxNorm: 0.5, weightDecay: 0.3 }),
    adamCase("late", 67, { step: 20_000, beta2: 0.95 }),
    adamCase("large eps", 67, { eps: 0.5 }),
    {
      name: "first step",
      inputs: { gradient: normal([7]), squares: floats([1], [1]) },
      targets: {
        weight: normal([7], 0.1),
        m: floats([7], Array(7).fill(0)),
        v: floats([7], Array(7).fill(0)),
      },
      params: { ...ADAM, step: 1 },
    },
    {
      name: "weights that never had a gradient",
      inputs: { gradient: floats([5], Array(5).fill(0)), squares: floats([1], [0]) },
      targets: {
        weight: normal([5]),
        m: floats([5], Array(5).fill(0)),
        v: floats([5], Array(5).fill(0)),
      },
      params: { ...ADAM, maxNorm: 1 },
    },
  ],
};
