/** Shape rule and gradient of `attention_pool`. */
import { given, type OpRule } from "../rule.ts";
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
  gradient: {
    into: ["query", "x"],
    saves: () => ["query", "x", "offsets", "y"],
    backward({ run, params, saved, gradients }) {
      const { query_gradient, x_gradient } = run("attention_pool_grad", {
        query: given(saved.query, "query"),
        x: given(saved.x, "x"),
        offsets: given(saved.offsets, "offsets"),
        y: given(saved.y, "y"),
        y_gradient: given(gradients.y, "the gradient of y"),
      }, params);
      return { query: query_gradient, x: x_gradient };
    },
  },
};

/** Gradients of `attention_pool` by the queries and the rows. */
export const attentionPoolGrad: OpRule<"attention_pool_grad"> = {
  outputs(inputs, { scale }) {
    const { H, B, D, T } = bindAxes("attention_pool_grad", inputs, {
      query: "H B D",
      x: "T D",
      offsets: "u32 B+1",
      y: "H B D",
      y_gradient: "H B D",
    });
    assertParam(
      Number.isFinite(scale),
      "attention_pool_grad",
      `scale must be finite: got ${scale}`,
    );
    return { query_gradient: f32(H, B, D), x_gradient: f32(T, D) };
  },
  gradient: "none",
};
