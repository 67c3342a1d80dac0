/** Shape rule and gradient of `batch_norm`. */
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = (x - mean) / √(variance + eps) with the statistics of the columns over all rows (BatchNorm1d in training, without gain). */
export const batchNorm: OpRule<"batch_norm"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("batch_norm", inputs, { x: "M D", row_weight: "M" });
    assertParam(eps > 0, "batch_norm", `eps must be > 0: got ${eps}`);
    return { y: f32(M, D), mean: f32(D), variance: f32(D) };
  },
  gradient: {
    into: ["x"],
    saves: () => ["x", "row_weight", "mean", "variance"],
    backward({ run, params, saved, gradients }) {
      const inputs = {
        x: given(saved.x, "x"),
        mean: given(saved.mean, "mean"),
        variance: given(saved.variance, "variance"),
        y_gradient: given(gradients.y, "the gradient of y"),
      };
      const { x_gradient } = run(
        "batch_norm_grad",
        saved.row_weight === undefined ? inputs : { ...inputs, row_weight: saved.row_weight },
        params,
      );
      return { x: x_gradient };
    },
  },
};

/** Gradient of `batch_norm` by x, through the statistics as well. */
export const batchNormGrad: OpRule<"batch_norm_grad"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("batch_norm_grad", inputs, {
      x: "M D",
      mean: "D",
      variance: "D",
      y_gradient: "M D",
      row_weight: "M",
    });
    assertParam(eps > 0, "batch_norm_grad", `eps must be > 0: got ${eps}`);
    return { x_gradient: f32(M, D) };
  },
  gradient: "none",
};
