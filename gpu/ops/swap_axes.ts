/** Shape rule and gradient of `swap_axes`. */
import { given, type OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[b,a] = x[a,b]: the first two of three axes change places. */
export const swapAxes: OpRule<"swap_axes"> = {
  outputs(inputs) {
    const { A, B, D } = bindAxes("swap_axes", inputs, { x: "A B D" });
    return { y: f32(B, A, D) };
  },
  gradient: {
    into: ["x"],
    saves: () => [],
    backward: ({ run, gradients }) => ({
      x: run("swap_axes", { x: given(gradients.y, "the gradient of y") }, {}).y,
    }),
  },
};
