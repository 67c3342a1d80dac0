/** Shape rule and gradient of `segment_pool`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[b] = Σ_t weight[t] x[t] over the rows t of cell b; the mean divides by their number. A cell without rows gives zeros. */
export const segmentPool: OpRule<"segment_pool"> = {
  outputs(inputs) {
    const { B, D } = bindAxes("segment_pool", inputs, {
      x: "T D",
      offsets: "u32 B+1",
      weight: "T",
    });
    return { y: f32(B, D) };
  },
  gradient: { into: ["x", "weight"], saves: ["x", "offsets", "weight"], backward: "pending" },
};
