/** Shape rule and gradient of `linear`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y = act(x · weightᵀ + bias) with PyTorch's weight layout [N,K]. */
export const linear: OpRule<"linear"> = {
  outputs(inputs) {
    const { M, N } = bindAxes("linear", inputs, { x: "M K", weight: "N K", bias: "N" });
    return { y: f32(M, N) };
  },
  gradient: {
    into: ["x", "weight", "bias"],
    saves: ["x", "weight", "bias", "y"],
    backward: "pending",
  },
};
