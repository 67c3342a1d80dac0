/** Shape rule and gradient of `binary`. */
import { sameShape, type Shape } from "../dtype.ts";
import type { OpRule } from "../rule.ts";
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
  gradient: { into: ["a", "b"], saves: ["a", "b"], backward: "pending" },
};
