/** Cases of the ops that know cells, and of their gradients: ragged, empty, masked, with dropout. */
import { attention } from "../oracle/attention.ts";
import { attentionPool } from "../oracle/cells.ts";
import type { AttentionParams } from "../../../gpu/ops.ts";
import {
  type Cases,
  normal,
  offsetsOf,
  type OpCase,
  rounded,
  rowKeys,
  tokensOf,
  uniform,
  words,
} from "./draw.ts";

function attentionCase(lengths: readonly number[], more: {
  heads: number;
  width: number;
  known?: readonly number[];
  scale?: number;
  dropout?: AttentionParams["dropout"];
}): OpCase<"attention"> {
  const { heads, width, known, scale = 1, dropout } = more;
  const T = tokensOf(lengths);
  const mask = known ? `, known [${known}]` : "";
  return {
    name: `cells [${lengths}], ${heads} heads of ${width}${mask}${
      dropout ? `, dropout ${dropout.p}` : ""
    }`,
    inputs: {
      qkv: normal([T, 3 * heads * width], scale),
      offsets: offsetsOf(lengths),
      ...(known && { known: words([known.length], known) }),
      ...(dropout && { row_key: rowKeys(T) }),
    },
    params: { heads, ...(dropout && { dropout }) },
  };
}

/** The gradient's case of a forward case. */
function attentionGradCase(
  { name, inputs, params }: OpCase<"attention">,
): OpCase<"attention_grad"> {
  const { context, lse } = attention(inputs, params);
  return {
    name,
    inputs: {
      ...inputs,
      context: rounded(context),
      lse: rounded(lse),
      context_gradient: normal(context.shape),
    },
    params,
  };
}

function poolCase(lengths: readonly number[], H: number, D: number): OpCase<"attention_pool"> {
  return {
    name: `cells [${lengths}], ${H} queries of ${D}`,
    inputs: {
      query: normal([H, lengths.length, D]),
      x: normal([tokensOf(lengths), D]),
      offsets: offsetsOf(lengths),
    },
    params: { scale: D ** -0.5 },
  };
}

function poolGradCase(of: OpCase<"attention_pool">): OpCase<"attention_pool_grad"> {
  const y = rounded(attentionPool(of.inputs, of.params).y);
  return { ...of, inputs: { ...of.inputs, y, y_gradient: normal(y.shape) } };
}

function segmentCase(
  lengths: readonly number[],
  mode: "mean" | "sum",
  weighted: boolean,
): OpCase<"segment_pool"> {
  const T = tokensOf(lengths);
  return {
    name: `${mode} of cells [${lengths}]${weighted ? ", weighted" : ""}`,
    inputs: {
      x: normal([T, 37]),
      offsets: offsetsOf(lengths),
      ...(weighted && { weight: uniform([T], 0, 2) }),
    },
    params: { mode },
  };
}

function spreadCase(
  lengths: readonly number[],
  mode: "mean" | "sum",
  D: number,
): OpCase<"segment_spread"> {
  return {
    name: `${mode} to cells [${lengths}] of ${D}`,
    inputs: { x: normal([lengths.length, D]), offsets: offsetsOf(lengths) },
    params: { mode, tokens: tokensOf(lengths) },
  };
}

const RAGGED = [5, 0, 1, 70, 64], KNOWN = [3, 0, 0, 33, 64];
const fifth = { p: 0.2, seed: 2 ** 40 + 11, stream: 5 };

const ATTENTION_CASES = [
  attentionCase([1], { heads: 1, width: 16 }),
  attentionCase([9, 4], { heads: 2, width: 4, known: [5, 0] }),
  attentionCase(RAGGED, { heads: 2, width: 16 }),
  attentionCase([65, 130], { heads: 2, width: 64 }),
  attentionCase([33, 64], { heads: 1, width: 128 }),
  attentionCase([40, 3], { heads: 3, width: 12 }),
  attentionCase([7, 66], { heads: 1, width: 100 }),
  attentionCase([96], { heads: 2, width: 32, scale: 2 }),
  attentionCase(RAGGED, { heads: 2, width: 16, known: KNOWN }),
  attentionCase([100, 40], { heads: 2, width: 64, known: [0, 17] }),
  attentionCase([70], { heads: 1, width: 128, known: [35] }),
  attentionCase([0, 0], { heads: 2, width: 16 }),
  attentionCase([9, 4], { heads: 2, width: 8, dropout: fifth }),
  attentionCase(RAGGED, { heads: 3, width: 16, dropout: fifth }),
  attentionCase(RAGGED, { heads: 2, width: 16, known: KNOWN, dropout: fifth }),
  attentionCase([131], { heads: 2, width: 64, dropout: { p: 0.5, seed: 3, stream: 4294967295 } }),
  attentionCase([20, 1], { heads: 2, width: 16, dropout: { p: 0, seed: 3, stream: 0 } }),
  attentionCase([0], { heads: 2, width: 16, dropout: fifth }),
];

const POOL_CASES = [
  poolCase(RAGGED, 2, 48),
  poolCase([33], 1, 7),
  poolCase([4, 9], 3, 5),
  poolCase([40, 31], 8, 512),
  poolCase([0], 2, 8),
];

/** Cases of attention, pooling and their gradients. */
export const CELL_CASES: Cases<
  | "attention"
  | "attention_grad"
  | "attention_pool"
  | "attention_pool_grad"
  | "segment_pool"
  | "segment_spread"
> = {
  attention: [
    ...ATTENTION_CASES,
    attentionCase([300], { heads: 2, width: 64, scale: 2 }),
    attentionCase([96], { heads: 2, width: 32, scale: 6 }), // its log-sum-exp of 150 is too coarse for a gradient within 1e-5
  ],
  attention_grad: ATTENTION_CASES.map(attentionGradCase),
  attention_pool: POOL_CASES,
  attention_pool_grad: POOL_CASES.map(poolGradCase),
  segment_pool: [
    segmentCase([5, 0, 1, 70, 300], "mean", false),
    segmentCase([5, 0, 1, 70, 300], "sum", true),
    segmentCase([4, 129], "mean", true),
    segmentCase([3, 0, 2], "mean", true),
    segmentCase([3, 0, 2], "sum", false),
    segmentCase([0, 0], "mean", true),
  ],
  segment_spread: [
    spreadCase([5, 0, 1, 70, 300], "mean", 37),
    spreadCase([5, 0, 1, 70], "sum", 3),
    spreadCase([3, 0, 2], "mean", 4),
    spreadCase([0, 0], "sum", 8),
  ],
};
