/** Shape rule and gradient of `column_sum`. */
import { given, type OpRule } from "../rule.ts";
import { Tensor } from "../tensor.ts";
import { bindAxes, f32 } from "./axes.ts";

/** Sum of each column, as a tree or compensated. */
export const columnSum: OpRule<"column_sum"> = {
  outputs(inputs) {
    const { D } = bindAxes("column_sum", inputs, { x: "M D" });
    return { y: f32(D) };
  },
  gradient: {
    into: ["x"],
    saves: () => [],
    backward({ run, specs, gradients }) {
      const [M = 0, D = 0] = specs.x.shape;
      const b = given(gradients.y, "the gradient of y");
      const a = Tensor.zeros(b.device, [M, D]);
      return { x: run("binary", { a, b }, { fn: "add" }).y };
    },
  },
};
