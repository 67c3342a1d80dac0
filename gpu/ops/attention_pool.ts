/** Shape rule and gradient of `attention_pool`. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t] over the rows t of cell b; a cell without rows gives zeros. */
export const attentionPool: OpRule<"attention_pool"> = {
  outputs(inputs, { scale }) {
    const { H, B, D } = bindAxes("attention_pool", inputs, {
      query: "H B D",
      x: "T D",
      offsets: "u32 B+1",
    });
    assertParam(Number.isFinite(scale), "attention_pool", `scale must be finite: got ${scale}`);
    return { y: f32(H, B, D) };
  },
  gradient: { into: ["query", "x"], saves: ["query", "x", "offsets", "y"], backward: "pending" },
};
