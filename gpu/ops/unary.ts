/** Shape rule and gradient of `unary`. */
import type { OpRule } from "../rule.ts";
import { f32 } from "./axes.ts";

/** y = fn(x), element by element, of any shape. */
export const unary: OpRule<"unary"> = {
  outputs({ x }) {
    if (x.dtype !== "f32") throw new TypeError(`Cannot run unary as x must be f32: got ${x.dtype}`);
    return { y: f32(...x.shape) };
  },
  gradient: { into: ["x"], saves: ["x", "y"], backward: "pending" },
};
