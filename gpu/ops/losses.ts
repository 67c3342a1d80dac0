/** Shape rules and gradients of the losses: weighted sums that end in one number. */
import { given, type OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** Σ_m weight[m] · -log softmax(logits[m])[target[m]]. */
export const crossEntropy: OpRule<"cross_entropy"> = {
  outputs(inputs) {
    bindAxes("cross_entropy", inputs, { logits: "M C", target: "u32 M", weight: "M" });
    return { loss: f32(1) };
  },
  gradient: {
    into: ["logits"],
    saves: () => ["logits", "target", "weight"],
    backward: ({ run, saved, gradients }) => ({
      logits: run("cross_entropy_grad", {
        logits: given(saved.logits, "logits"),
        target: given(saved.target, "target"),
        weight: given(saved.weight, "weight"),
        loss_gradient: given(gradients.loss, "the gradient of the loss"),
      }, {}).logits_gradient,
    }),
  },
};

/** weight[m] (softmax(logits[m]) - one at target[m]) times the loss's gradient. */
export const crossEntropyGrad: OpRule<"cross_entropy_grad"> = {
  outputs(inputs) {
    const { M, C } = bindAxes("cross_entropy_grad", inputs, {
      logits: "M C",
      target: "u32 M",
      weight: "M",
      loss_gradient: "1",
    });
    return { logits_gradient: f32(M, C) };
  },
  gradient: "none",
};

/** Σ_m weight[m] · e(pred[m], target[m]). */
export const pointwiseLoss: OpRule<"pointwise_loss"> = {
  outputs(inputs) {
    bindAxes("pointwise_loss", inputs, { pred: "M", target: "M", weight: "M" });
    return { loss: f32(1) };
  },
  gradient: {
    into: ["pred"],
    saves: () => ["pred", "target", "weight"],
    backward: ({ run, params, saved, gradients }) => ({
      pred: run("pointwise_loss_grad", {
        pred: given(saved.pred, "pred"),
        target: given(saved.target, "target"),
        weight: given(saved.weight, "weight"),
        loss_gradient: given(gradients.loss, "the gradient of the loss"),
      }, params).pred_gradient,
    }),
  },
};

/** weight[m] · e'(pred[m]) times the loss's gradient. */
export const pointwiseLossGrad: OpRule<"pointwise_loss_grad"> = {
  outputs(inputs) {
    const { M } = bindAxes("pointwise_loss_grad", inputs, {
      pred: "M",
      target: "M",
      weight: "M",
      loss_gradient: "1",
    });
    return { pred_gradient: f32(M) };
  },
  gradient: "none",
};
