/** `pointwise_loss` and its gradient in WGSL. */
import type { Kernel } from "../../device.ts";
import type { PointwiseLoss } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { LOGARITHMS } from "./functions.ts";
import { sumTerms, type TotalProgram, totalProgram } from "./total_sum.ts";

/** Bounds of a probability, 2⁻²³ and 1 - 2⁻²³. */
const LOW = "1.1920929e-7", HIGH = "0.99999988";

/** `fn error(pred, target) -> f32`. */
const ERRORS: { readonly [F in PointwiseLoss]: string } = {
  squared_error: `fn error(x: f32, t: f32) -> f32 { return (x - t) * (x - t); }`,
  bernoulli: `${LOGARITHMS}
fn error(x: f32, t: f32) -> f32 {
  let chance = clamp(x, ${LOW}, ${HIGH});
  return select(-log1p(-chance), -ln(chance), t > 0);
}`,
};

/** `fn slope(pred, target) -> f32`. */
const SLOPES: { readonly [F in PointwiseLoss]: string } = {
  squared_error: `fn slope(x: f32, t: f32) -> f32 { return 2 * (x - t); }`,
  bernoulli: `
fn slope(x: f32, t: f32) -> f32 {
  let chance = clamp(x, ${LOW}, ${HIGH});
  return select(0, select(1 / (1 - chance), -1 / chance, t > 0), chance == x);
}`,
};

/** The targets are `truth`, as WGSL reserves the word target. */
const READ = { pred: "f32", truth: "f32", weight: "f32" } as const;

const TOTALS: { readonly [F in PointwiseLoss]: TotalProgram } = {
  squared_error: total("squared_error"),
  bernoulli: total("bernoulli"),
};

function total(fn: PointwiseLoss): TotalProgram {
  return totalProgram({
    label: fn,
    read: READ,
    globals: ERRORS[fn],
    term: "weight[p.weight_at + i] * error(pred[p.pred_at + i], truth[p.truth_at + i])",
  });
}

const gradient = variants(({ fn }: { fn: PointwiseLoss }) =>
  elementwise({
    label: `pointwise_loss_grad ${fn}`,
    read: { ...READ, loss_gradient: "f32" },
    write: { pred_gradient: "f32" },
    params: {},
    globals: SLOPES[fn],
    body: `  pred_gradient[p.pred_gradient_at + i] = loss_gradient[p.loss_gradient_at] *
    weight[p.weight_at + i] * slope(pred[p.pred_at + i], truth[p.truth_at + i]);`,
  })
);

/** loss = Σ weight · e(pred, target). */
export function pointwiseLoss(gpu: Dispatcher): Kernel<"pointwise_loss", WebGpuBuffer> {
  return ({ pred, target, weight }, { loss }, { fn }) => {
    const views = { pred, truth: target, weight };
    sumTerms(gpu, TOTALS[fn], { views, count: pred.shape[0]!, sum: loss });
  };
}

/** weight · e'(pred) times the loss's gradient. */
export function pointwiseLossGrad(gpu: Dispatcher): Kernel<"pointwise_loss_grad", WebGpuBuffer> {
  return ({ target: truth, ...inputs }, outputs, { fn }) => {
    const count = inputs.pred.shape[0]!;
    gpu.dispatch(gradient({ fn }), {
      views: { truth, ...inputs, ...outputs },
      params: { count },
      groups: elementGroups(count),
    });
  };
}
