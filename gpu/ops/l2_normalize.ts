/** Shape rule and gradient of `l2_normalize`. */
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = x / max(|x|₂, eps) row by row. */
export const l2Normalize: OpRule<"l2_normalize"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("l2_normalize", inputs, { x: "M D" });
    assertParam(eps > 0, "l2_normalize", `eps must be > 0: got ${eps}`);
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["x"],
    saves: () => ["x"],
    backward({ run, params, saved, gradients }) {
      const x = given(saved.x, "x"), y_gradient = given(gradients.y, "the gradient of y");
      return { x: run("l2_normalize_grad", { x, y_gradient }, params).x_gradient };
    },
  },
};

/** (dy - y (y·dy)) / |x|, and dy / eps for rows shorter than eps. */
export const l2NormalizeGrad: OpRule<"l2_normalize_grad"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("l2_normalize_grad", inputs, { x: "M D", y_gradient: "M D" });
    assertParam(eps > 0, "l2_normalize_grad", `eps must be > 0: got ${eps}`);
    return { x_gradient: f32(M, D) };
  },
  gradient: "none",
};
