/** Shape rule and gradient of `dropout`. */
import { seedKey } from "../random.ts";
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y = x * keep/(1-p), where keep is drawn from Philox by what the element is, never by where it lies. */
export const dropout: OpRule<"dropout"> = {
  outputs(inputs, { p, seed, stream }) {
    const { M, D } = bindAxes("dropout", inputs, { x: "M D", row_key: "u32 M 2" });
    const kept = p >= 0 && dropThreshold(p) < 2 ** 32;
    assertParam(kept, "dropout", `p must be from 0 to 1 - 2^-32: got ${p}`);
    assertParam(
      stream >>> 0 === stream,
      "dropout",
      `stream must be an unsigned 32-bit integer: got ${stream}`,
    );
    seedKey(seed);
    return { y: f32(M, D) };
  },
  gradient: {
    into: ["x"],
    saves: () => ["row_key"],
    backward({ run, params, saved: { row_key }, gradients }) {
      const x = given(gradients.y, "the gradient of y");
      return { x: run("dropout", row_key === undefined ? { x } : { x, row_key }, params).y };
    },
  },
};

/** Words below this number drop the element: p·2³², rounded up so that `word >= p·2³²` and `word >= threshold` agree. */
export function dropThreshold(p: number): number {
  return Math.ceil(p * 4294967296);
}
