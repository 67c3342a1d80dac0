/** Shape rules and gradients of `concat` and `slice_columns`, which undo each other. */
import { given, type OpRule } from "../rule.ts";
import { Tensor } from "../tensor.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = [a | b] along the last axis. */
export const concat: OpRule<"concat"> = {
  outputs(inputs) {
    const { M, L, R } = bindAxes("concat", inputs, { a: "M L", b: "M R" });
    return { y: f32(M, L + R) };
  },
  gradient: {
    into: ["a", "b"],
    saves: () => [],
    backward({ run, specs, gradients, wanted }) {
      const x = given(gradients.y, "the gradient of y");
      const left = specs.a.shape[1] ?? 0, end = x.shape[1] ?? 0;
      const columns = (start: number, end: number) => run("slice_columns", { x }, { start, end }).y;
      return {
        ...(wanted.has("a") && { a: columns(0, left) }),
        ...(wanted.has("b") && { b: columns(left, end) }),
      };
    },
  },
};

/** y = columns start .. end of x. */
export const sliceColumns: OpRule<"slice_columns"> = {
  outputs(inputs, { start, end }) {
    const { M, D } = bindAxes("slice_columns", inputs, { x: "M D" });
    assertParam(
      Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= D,
      "slice_columns",
      `0 <= start <= end <= ${D} must hold: got ${start} and ${end}`,
    );
    return { y: f32(M, end - start) };
  },
  gradient: {
    into: ["x"],
    saves: () => [],
    backward({ run, params: { start, end }, specs, gradients }) {
      const [M = 0, D = 0] = specs.x.shape;
      const dy = given(gradients.y, "the gradient of y");
      const zeros = (width: number) => Tensor.zeros(dy.device, [M, width]);
      const left = start === 0 ? dy : run("concat", { a: zeros(start), b: dy }, {}).y;
      return { x: end === D ? left : run("concat", { a: left, b: zeros(D - end) }, {}).y };
    },
  },
};
