/** Shape rule and gradient of `matmul`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[g] = a[g] · b[g], either one transposed in memory. */
export const matmul: OpRule<"matmul"> = {
  outputs(inputs, { transposeA, transposeB }) {
    const { G, M, N } = bindAxes("matmul", inputs, {
      a: transposeA ? "G K M" : "G M K",
      b: transposeB ? "G N K" : "G K N",
    });
    return { y: f32(G, M, N) };
  },
  gradient: { into: ["a", "b"], saves: ["a", "b"], backward: "pending" },
};
