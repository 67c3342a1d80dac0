/** Shape rule and gradient of `l2_normalize`. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = x / max(|x|₂, eps) row by row. */
export const l2Normalize: OpRule<"l2_normalize"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("l2_normalize", inputs, { x: "M D" });
    assertParam(eps > 0, "l2_normalize", `eps must be > 0: got ${eps}`);
    return { y: f32(M, D) };
  },
  gradient: { into: ["x"], saves: ["x", "y"], backward: "pending" },
};
