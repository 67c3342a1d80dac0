/** Shape rule and gradient of `concat`. */
import type { OpRule } from "../rule.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y = [a | b] along the last axis. */
export const concat: OpRule<"concat"> = {
  outputs(inputs) {
    const { M, L, R } = bindAxes("concat", inputs, { a: "M L", b: "M R" });
    return { y: f32(M, L + R) };
  },
  gradient: { into: ["a", "b"], saves: ["a", "b"], backward: "pending" },
};
