/** Shape rule of `top_k`, which has no gradient. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** The k largest of each row, largest first, the lower column first among equals. */
export const topK: OpRule<"top_k"> = {
  outputs(inputs, { k }) {
    const { M, N } = bindAxes("top_k", inputs, { x: "M N" });
    assertParam(
      Number.isInteger(k) && k >= 1 && k <= N,
      "top_k",
      `k must be an integer from 1 to N = ${N}: got ${k}`,
    );
    return { value: f32(M, k), index: { shape: [M, k], dtype: "u32" } };
  },
  gradient: "none",
};
