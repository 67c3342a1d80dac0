/** Shape rule and gradient of `softmax`. */
import { given, type OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y = softmax of each row. */
export const softmax: OpRule<"softmax"> = {
  outputs(inputs) {
    const { M, D } = bindAxes("softmax", inputs, { x: "M D" });
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["x"],
    saves: () => ["y"],
    backward({ run, saved, gradients }) {
      const y = given(saved.y, "y"), y_gradient = given(gradients.y, "the gradient of y");
      return { x: run("softmax_grad", { y, y_gradient }, {}).x_gradient };
    },
  },
};

/** y (dy - y·dy) row by row. */
export const softmaxGrad: OpRule<"softmax_grad"> = {
  outputs(inputs) {
    const { M, D } = bindAxes("softmax_grad", inputs, { y: "M D", y_gradient: "M D" });
    return { x_gradient: f32(M, D) };
  },
  gradient: "none",
};
