/** `cross_entropy` and its gradient in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { LOGARITHMS, LOWEST } from "./functions.ts";
import { eachColumn, rowwise } from "./rowwise.ts";
import { sumValues } from "./total_sum.ts";

/** The targets are `truth`, as WGSL reserves the word target. */
const READ = { logits: "f32", truth: "u32", weight: "f32" } as const;

/** `top`, `all` and `chosen`: the largest logit of a row, the sum of exponentials and the column of the target. */
const SOFTMAX = `
  let row = p.logits_at + group * p.D;
  var largest = ${LOWEST};
${eachColumn("largest = max(largest, logits[row + d]);")}
  let top = reduce_max(lid, largest);
  var sum = 0.0;
${eachColumn("sum += exp(max(logits[row + d] - top, -87.0));")}
  let all = reduce_sum(lid, sum);
  let chosen = min(truth[p.truth_at + group], p.D - 1u);`;

const ROWS = rowwise({
  label: "cross_entropy",
  read: READ,
  write: { loss: "f32" },
  params: { D: "u32" },
  max: true,
  globals: LOGARITHMS,
  body: `${SOFTMAX}
  if (lid == 0u) {
    loss[p.loss_at + group] = weight[p.weight_at + group] * (ln(all) - (logits[row + chosen] - top));
  }`,
});

const GRADIENT = rowwise({
  label: "cross_entropy_grad",
  read: { ...READ, loss_gradient: "f32" },
  write: { logits_gradient: "f32" },
  params: { D: "u32" },
  max: true,
  body: `${SOFTMAX}
  let scale = weight[p.weight_at + group] * loss_gradient[p.loss_gradient_at];
${
    eachColumn(`
    let share = exp(max(logits[row + d] - top, -87.0)) / all;
    logits_gradient[p.logits_gradient_at + group * p.D + d] = scale * select(share, share - 1, d == chosen);`)
  }`,
});

/** loss = Σ weight · -log softmax(logits)[target]. */
export function crossEntropy(gpu: Dispatcher): Kernel<"cross_entropy", WebGpuBuffer> {
  return ({ logits, target, weight }, { loss }) => {
    const [M, D] = logits.shape as [number, number];
    gpu.scratch([[M]], (rows) => {
      const views = { logits, truth: target, weight, loss: rows };
      gpu.dispatch(ROWS, { views, params: { D }, groups: M });
      sumValues(gpu, rows, loss);
    });
  };
}

/** weight (softmax(logits) - one at the target) times the loss's gradient. */
export function crossEntropyGrad(gpu: Dispatcher): Kernel<"cross_entropy_grad", WebGpuBuffer> {
  return ({ target: truth, ...inputs }, outputs) => {
    const [M, D] = inputs.logits.shape as [number, number];
    gpu.dispatch(GRADIENT, { views: { truth, ...inputs, ...outputs }, params: { D }, groups: M });
  };
}
