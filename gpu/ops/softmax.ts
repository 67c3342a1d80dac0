/** Shape rule and gradient of `softmax`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y = softmax of each row. */
export const softmax: OpRule<"softmax"> = {
  outputs(inputs) {
    const { M, D } = bindAxes("softmax", inputs, { x: "M D" });
    return { y: f32(M, D) };
  },
  gradient: { into: ["x"], saves: ["y"], backward: "pending" },
};
