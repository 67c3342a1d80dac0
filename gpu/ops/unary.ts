/** Shape rule and gradient of `unary`. */
import { sameShape } from "../dtype.ts";
import type { UnaryFunction } from "../ops.ts";
import { given, type OpRule } from "../rule.ts";
import { f32 } from "./axes.ts";

/** Whether the slope of a function is read from its input; of the others it is a function of the output. */
export function slopeNeedsInput(fn: UnaryFunction): boolean {
  return fn === "gelu" || fn === "log1p";
}

/** y = fn(x), element by element, of any shape. */
export const unary: OpRule<"unary"> = {
  outputs({ x }) {
    if (x.dtype !== "f32") throw new TypeError(`Cannot run unary as x must be f32: got ${x.dtype}`);
    return { y: f32(...x.shape) };
  },
  gradient: {
    into: ["x"],
    saves: ({ fn }) => fn === "none" ? [] : slopeNeedsInput(fn) ? ["x"] : ["y"],
    backward({ run, params: { fn }, saved, gradients }) {
      const gradient = given(gradients.y, "the gradient of y");
      if (fn === "none") return { x: gradient };
      const value = given(slopeNeedsInput(fn) ? saved.x : saved.y, "x or y");
      return { x: run("unary_grad", { value, y_gradient: gradient }, { fn }).x_gradient };
    },
  },
};

/** x_gradient = fn'(·) * y_gradient, from the output, or the input where the output does not tell the slope. */
export const unaryGrad: OpRule<"unary_grad"> = {
  outputs({ value, y_gradient }) {
    for (const [name, { dtype }] of Object.entries({ value, y_gradient })) {
      if (dtype !== "f32") {
        throw new TypeError(`Cannot run unary_grad as ${name} must be f32: got ${dtype}`);
      }
    }
    if (!sameShape(value.shape, y_gradient.shape)) {
      throw new RangeError(
        `Cannot run unary_grad as value and y_gradient must have one shape: got [${value.shape}] and [${y_gradient.shape}]`,
      );
    }
    return { x_gradient: f32(...value.shape) };
  },
  gradient: "none",
};
