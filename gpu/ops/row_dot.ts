/** Shape rule and gradient of `row_dot`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[m] = a[m]·b[m]. */
export const rowDot: OpRule<"row_dot"> = {
  outputs(inputs) {
    const { M } = bindAxes("row_dot", inputs, { a: "M D", b: "M D" });
    return { y: f32(M) };
  },
  gradient: { into: ["a", "b"], saves: ["a", "b"], backward: "pending" },
};
