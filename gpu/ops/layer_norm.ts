/** Shape rule and gradient of `layer_norm`. */
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = (s - mean s) / √(var s + eps) * weight + bias with s = x + residual; the variance divides by D (PyTorch). */
export const layerNorm: OpRule<"layer_norm"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("layer_norm", inputs, {
      x: "M D",
      residual: "M D",
      weight: "D",
      bias: "D",
    });
    assertParam(eps > 0, "layer_norm", `eps must be > 0: got ${eps}`);
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["x", "residual", "weight", "bias"],
    saves: () => ["x", "residual", "weight"],
    backward({ run, params, saved, gradients }) {
      const inputs = {
        x: given(saved.x, "x"),
        weight: given(saved.weight, "weight"),
        y_gradient: given(gradients.y, "the gradient of y"),
      };
      const { x_gradient, weight_gradient, bias_gradient } = run(
        "layer_norm_grad",
        saved.residual === undefined ? inputs : { ...inputs, residual: saved.residual },
        params,
      );
      return {
        x: x_gradient,
        residual: x_gradient,
        weight: weight_gradient,
        bias: bias_gradient,
      };
    },
  },
};

/** Gradients of the sum x + residual, of the gain and of the bias. */
export const layerNormGrad: OpRule<"layer_norm_grad"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("layer_norm_grad", inputs, {
      x: "M D",
      residual: "M D",
      weight: "D",
      y_gradient: "M D",
    });
    assertParam(eps > 0, "layer_norm_grad", `eps must be > 0: got ${eps}`);
    return { x_gradient: f32(M, D), weight_gradient: f32(D), bias_gradient: f32(D) };
  },
  gradient: "none",
};
