/** Shape rule and gradient of `gather_rows`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[t] = base[t] + table[index[t]]: an embedding lookup, added to what a token already has. */
export const gatherRows: OpRule<"gather_rows"> = {
  outputs(inputs) {
    const { T, D } = bindAxes("gather_rows", inputs, { table: "V D", index: "u32 T", base: "T D" });
    return { y: f32(T, D) };
  },
  gradient: { into: ["table", "base"], saves: ["table", "index"], backward: "pending" },
};
