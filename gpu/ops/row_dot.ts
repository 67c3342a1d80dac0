/** Shape rule and gradient of `row_dot`. */
import { given, type OpRule } from "../rule.ts";
import type { Tensor } from "../tensor.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[m] = a[m]·b[m]. */
export const rowDot: OpRule<"row_dot"> = {
  outputs(inputs) {
    const { M } = bindAxes("row_dot", inputs, { a: "M D", b: "M D" });
    return { y: f32(M) };
  },
  gradient: {
    into: ["a", "b"],
    saves: (_, wanted) => [
      ...(wanted.has("b") ? ["a"] as const : []),
      ...(wanted.has("a") ? ["b"] as const : []),
    ],
    backward({ run, specs, saved, gradients, wanted }) {
      const column = given(gradients.y, "the gradient of y").reshape([specs.a.shape[0] ?? 0, 1]);
      const times = (a: Tensor) => run("binary", { a, b: column }, { fn: "mul" }).y;
      return {
        ...(wanted.has("a") && { a: times(given(saved.b, "b")) }),
        ...(wanted.has("b") && { b: times(given(saved.a, "a")) }),
      };
    },
  },
};
