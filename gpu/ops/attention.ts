/** Shape rule and gradient of `attention`. */
import type { AttentionParams } from "../ops.ts";
import { seedKey } from "../random.ts";
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** Widest head the kernels keep in registers and workgroup memory. */
export const MAX_HEAD_WIDTH = 128;

/** softmax(q·kᵀ/√(D/H))·v inside each cell, under the paper's generative mask where `known` is given. */
export const attention: OpRule<"attention"> = {
  outputs(inputs, params) {
    const { T, D } = bindAxes("attention", inputs, {
      qkv: "T 3D",
      offsets: "u32 B+1",
      known: "u32 B",
      row_key: "u32 T 2",
    });
    checkParams("attention", D, params, inputs.row_key !== undefined);
    return { context: f32(T, D), lse: f32(T, params.heads) };
  },
  gradient: {
    into: ["qkv"],
    saves: () => ["qkv", "offsets", "known", "row_key", "context", "lse"],
    backward({ run, params, saved, gradients }) {
      const inputs = {
        qkv: given(saved.qkv, "qkv"),
        offsets: given(saved.offsets, "offsets"),
        context: given(saved.context, "context"),
        lse: given(saved.lse, "lse"),
        context_gradient: given(gradients.context, "the gradient of context"),
        ...(saved.known !== undefined && { known: saved.known }),
        ...(saved.row_key !== undefined && { row_key: saved.row_key }),
      };
      return { qkv: run("attention_grad", inputs, params).qkv_gradient };
    },
  },
};

/** Gradient of `attention` by q, k and v, from the scores computed again. */
export const attentionGrad: OpRule<"attention_grad"> = {
  outputs(inputs, params) {
    const { T, D } = bindAxes("attention_grad", inputs, {
      qkv: "T 3D",
      offsets: "u32 B+1",
      known: "u32 B",
      row_key: "u32 T 2",
      context: "T D",
      lse: `T H`,
      context_gradient: "T D",
    });
    checkParams("attention_grad", D, params, inputs.row_key !== undefined);
    return { qkv_gradient: f32(T, 3 * D) };
  },
  gradient: "none",
};

/** Attention weights whose 16-bit draw is below this number are dropped: p·2¹⁶, rounded up. */
export function attentionDropThreshold(p: number): number {
  return Math.ceil(p * 65536);
}

/** Factor of the weights that are kept: one by their chance, which is 1 - p up to the 16 bits of a draw. */
export function attentionKeepScale(p: number): number {
  return 65536 / (65536 - attentionDropThreshold(p));
}

function checkParams(
  op: "attention" | "attention_grad",
  D: number,
  { heads, dropout }: AttentionParams,
  keyed: boolean,
): void {
  const width = D / heads;
  assertParam(
    Number.isInteger(heads) && heads > 0,
    op,
    `heads must be an integer >= 1: got ${heads}`,
  );
  assertParam(
    Number.isInteger(width) && width % 4 === 0 && width > 0 && width <= MAX_HEAD_WIDTH,
    op,
    `the head width D / heads must be a multiple of 4 up to ${MAX_HEAD_WIDTH}: got ${D} / ${heads}`,
  );
  if (dropout === undefined) return;
  const { p, seed, stream } = dropout;
  assertParam(keyed, op, "dropout needs row_key [T,2]: got none");
  assertParam(heads <= 256, op, `heads must be at most 256 with dropout: got ${heads}`);
  assertParam(
    p >= 0 && attentionDropThreshold(p) < 65536,
    op,
    `p must be from 0 to 1 - 2^-16: got ${p}`,
  );
  assertParam(
    stream >>> 0 === stream,
    op,
    `stream must be an unsigned 32-bit integer: got ${stream}`,
  );
  seedKey(seed);
}
