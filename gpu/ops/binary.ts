/** Shape rule and gradient of `binary`. */
import { sameShape, type Shape } from "../dtype.ts";
import { given, type OpRule, type Run } from "../rule.ts";
import { Tensor } from "../tensor.ts";
import { bindAxes, f32 } from "./axes.ts";

/** How `b` is spread over `a`. */
export type Spread = "element" | "row" | "column";

/**
 * How b of shape [M,D], [D] or [M,1] meets a of shape [M,D].
 *
 * @throws {RangeError} when b has none of these shapes
 */
export function spreadOf(a: Shape, b: Shape): Spread {
  const [M, D] = a;
  if (sameShape(a, b)) return "element";
  if (sameShape(b, [D!])) return "row";
  if (sameShape(b, [M!, 1])) return "column";
  throw new RangeError(
    `Cannot run binary as b must have shape [${a}], [${D}] or [${M},1]: got [${b}]`,
  );
}

/** y = a ∘ b, with b of a's shape, or one row for all rows, or one column. */
export const binary: OpRule<"binary"> = {
  outputs(inputs) {
    const { M, D } = bindAxes("binary", inputs, { a: "M D" });
    if (inputs.b.dtype !== "f32") {
      throw new TypeError(`Cannot run binary as b must be f32: got ${inputs.b.dtype}`);
    }
    spreadOf(inputs.a.shape, inputs.b.shape);
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["a", "b"],
    saves: ({ fn }, wanted) =>
      fn !== "mul" ? [] : [
        ...(wanted.has("b") ? ["a"] as const : []),
        ...(wanted.has("a") ? ["b"] as const : []),
      ],
    backward({ run, params: { fn }, specs, saved, gradients, wanted }) {
      const dy = given(gradients.y, "the gradient of y");
      const times = (b: Tensor) => run("binary", { a: dy, b }, { fn: "mul" }).y;
      if (fn !== "mul") {
        const b = () => gathered(run, dy, specs.a.shape, specs.b.shape);
        if (!wanted.has("b")) return { a: dy };
        return { a: dy, b: fn === "add" ? b() : negated(run, b()) };
      }
      return {
        ...(wanted.has("a") && { a: times(given(saved.b, "b")) }),
        ...(wanted.has("b") && {
          b: gathered(run, times(given(saved.a, "a")), specs.a.shape, specs.b.shape),
        }),
      };
    },
  },
};

/** The gradient of a spread operand: the sum over the places where it was used. */
function gathered(run: Run, gradient: Tensor, a: Shape, b: Shape): Tensor {
  const spread = spreadOf(a, b);
  if (spread === "element") return gradient;
  if (spread === "row") return run("column_sum", { x: gradient }, {}).y;
  const D = a[1] ?? 0;
  const weight = Tensor.from(gradient.device, "f32", [1, D], new Float32Array(D).fill(1));
  return run("linear", { x: gradient, weight }, { activation: "none" }).y;
}

function negated(run: Run, x: Tensor): Tensor {
  return run("scale_add", { x }, { alpha: -1, beta: 0 }).y;
}
