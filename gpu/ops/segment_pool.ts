/** Shape rules and gradients of `segment_pool` and `segment_spread`, each the other's gradient. */
import { given, type OpRule } from "../rule.ts";
import type { Tensor } from "../tensor.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

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
  gradient: {
    into: ["x", "weight"],
    saves: (_, wanted) => ["offsets", "weight", ...(wanted.has("weight") ? ["x"] as const : [])],
    backward({ run, params: { mode }, specs, saved, gradients, wanted }) {
      const [tokens = 0] = specs.x.shape;
      const dy = given(gradients.y, "the gradient of y");
      const inputs = { x: dy, offsets: given(saved.offsets, "offsets") };
      const spread = run("segment_spread", inputs, { mode, tokens }).y; // [T,D]
      if (saved.weight === undefined) return { x: spread };
      const b: Tensor = saved.weight.reshape([tokens, 1]);
      return {
        ...(wanted.has("x") && { x: run("binary", { a: spread, b }, { fn: "mul" }).y }),
        ...(wanted.has("weight") && {
          weight: run("row_dot", { a: given(saved.x, "x"), b: spread }, {}).y,
        }),
      };
    },
  },
};

/** y[t] = x[b] for the rows t of cell b, divided by their number for "mean". */
export const segmentSpread: OpRule<"segment_spread"> = {
  outputs(inputs, { tokens }) {
    const { D } = bindAxes("segment_spread", inputs, { x: "B D", offsets: "u32 B+1" });
    assertParam(
      Number.isInteger(tokens) && tokens >= 0,
      "segment_spread",
      `tokens must be an integer >= 0, the last offset: got ${tokens}`,
    );
    return { y: f32(tokens, D) };
  },
  gradient: {
    into: ["x"],
    saves: () => ["offsets"],
    backward({ run, params: { mode }, saved, gradients }) {
      const x = given(gradients.y, "the gradient of y");
      return {
        x: run("segment_pool", { x, offsets: given(saved.offsets, "offsets") }, { mode }).y,
      };
    },
  },
};
