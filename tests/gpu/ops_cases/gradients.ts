/** Cases of the gradients of rows and elements, from the cases of the ops themselves. */
import { slopeNeedsInput } from "../../../gpu/ops/unary.ts";
import { unary } from "../oracle/elementwise.ts";
import type { HostTensor } from "../oracle/host.ts";
import { batchNorm, softmax } from "../oracle/rows.ts";
import { type Cases, floats, indices, normal, type OpCase, rounded, words } from "./draw.ts";
import { ELEMENT_CASES } from "./elementwise.ts";
import { ROW_CASES } from "./rows.ts";

function layerNormGradCase(of: OpCase<"layer_norm">): OpCase<"layer_norm_grad"> {
  const { bias: _, ...inputs } = of.inputs;
  return { ...of, inputs: { ...inputs, y_gradient: normal(inputs.x.shape) } };
}

function batchNormGradCase(of: OpCase<"batch_norm">): OpCase<"batch_norm_grad"> {
  const { mean, variance } = batchNorm(of.inputs, of.params);
  const inputs = {
    ...of.inputs,
    mean: rounded(mean),
    variance: rounded(variance),
    y_gradient: normal(of.inputs.x.shape),
  };
  return { ...of, inputs };
}

function unaryGradCase({ name, inputs, params }: OpCase<"unary">): OpCase<"unary_grad"> {
  const value = slopeNeedsInput(params.fn) ? inputs.x : rounded(unary(inputs, params).y);
  return { name, inputs: { value, y_gradient: normal(value.shape) }, params };
}

function softmaxGradCase({ name, inputs }: OpCase<"softmax">): OpCase<"softmax_grad"> {
  const y = rounded(softmax(inputs, {}).y);
  return { name, inputs: { y, y_gradient: normal(y.shape) }, params: {} };
}

function l2NormalizeGradCase(name: string, x: HostTensor, eps: number) {
  return { name, inputs: { x, y_gradient: normal(x.shape) }, params: { eps } };
}

/** Cases of `scatter_rows` and of `<op>_grad` for ops without cells. */
export const GRADIENT_CASES: Cases<
  | "scatter_rows"
  | "layer_norm_grad"
  | "batch_norm_grad"
  | "unary_grad"
  | "l2_normalize_grad"
  | "softmax_grad"
> = {
  scatter_rows: [
    {
      name: "odd",
      inputs: { values: normal([6, 13]), index: words([6], [6, 0, 3, 3, 1, 3]) },
      params: { rows: 7, paddingIdx: -1 },
    },
    {
      name: "with padding",
      inputs: { values: normal([6, 5]), index: words([6], [3, 0, 3, 4, 0, 3]) },
      params: { rows: 5, paddingIdx: 3 },
    },
    {
      name: "many tokens of few rows",
      inputs: { values: normal([2403, 8]), index: indices(2403, 5) },
      params: { rows: 6, paddingIdx: 0 },
    },
    {
      name: "large table",
      inputs: { values: normal([300, 64]), index: indices(300, 1500) },
      params: { rows: 1501, paddingIdx: -1 },
    },
    {
      name: "one column",
      inputs: { values: normal([50, 1]), index: indices(50, 9) },
      params: { rows: 9, paddingIdx: 2 },
    },
    {
      name: "no token",
      inputs: { values: normal([0, 4]), index: words([0], []) },
      params: { rows: 3, paddingIdx: -1 },
    },
  ],
  layer_norm_grad: [
    ...ROW_CASES.layer_norm.map(layerNormGradCase),
    {
      name: "many rows of model width",
      inputs: { x: normal([301, 512]), weight: normal([512]), y_gradient: normal([301, 512]) },
      params: { eps: 1e-5 },
    },
  ],
  batch_norm_grad: ROW_CASES.batch_norm.map(batchNormGradCase),
  unary_grad: ELEMENT_CASES.unary.map(unaryGradCase),
  l2_normalize_grad: [
    l2NormalizeGradCase("odd", normal([5, 67]), 1e-12),
    l2NormalizeGradCase("zeros", floats([2, 4], [0, 0, 0, 0, 3, 0, 4, 0]), 0.25),
    l2NormalizeGradCase("shorter than eps", normal([3, 5], 1e-3), 0.5),
    l2NormalizeGradCase("no row", normal([0, 5]), 1e-12),
  ],
  softmax_grad: ROW_CASES.softmax.map(softmaxGradCase),
};
