/** Shape rule and gradient of `attention`. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** Widest head the kernels keep in registers and workgroup memory. */
export const MAX_HEAD_WIDTH = 128;

/** softmax(q·kᵀ/√(D/H))·v inside each cell, under the paper's generative mask where `known` is given. */
export const attention: OpRule<"attention"> = {
  outputs(inputs, { heads }) {
    const { T, D } = bindAxes("attention", inputs, {
      qkv: "T 3D",
      offsets: "u32 B+1",
      known: "u32 B",
    });
    const width = D / heads;
    assertParam(
      Number.isInteger(heads) && heads > 0,
      "attention",
      `heads must be an integer >= 1: got ${heads}`,
    );
    assertParam(
      Number.isInteger(width) && width % 4 === 0 && width > 0 && width <= MAX_HEAD_WIDTH,
      "attention",
      `the head width D / heads must be a multiple of 4 up to ${MAX_HEAD_WIDTH}: got ${D} / ${heads}`,
    );
    return { context: f32(T, D), lse: f32(T, heads) };
  },
  gradient: {
    into: ["qkv"],
    saves: ["qkv", "offsets", "known", "context", "lse"],
    backward: "pending",
  },
};
