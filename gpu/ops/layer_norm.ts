/** Shape rule and gradient of `layer_norm`. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = (s - mean s) / √(var s + eps) * weight + bias with s = x + residual; the variance divides by D (PyTorch). */
export const layerNorm: OpRule<"layer_norm"> = {
  outputs(inputs, { eps }) {
    const { M, D } = bindAxes("layer_norm", inputs, {
      x: "M D",
      residual: "M D",
      weight: "D",
      bias: "D",
    });
    assertParam(eps > 0, "layer_norm", `eps must be > 0: got ${eps}`);
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["x", "residual", "weight", "bias"],
    saves: ["x", "residual", "weight"],
    backward: "pending",
  },
};
