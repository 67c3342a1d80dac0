/** Shape rule and gradient of every op: leaving one out does not compile. */
import type { OpName } from "./ops.ts";
import { attention } from "./ops/attention.ts";
import { attentionPool } from "./ops/attention_pool.ts";
import { binary } from "./ops/binary.ts";
import { concat } from "./ops/concat.ts";
import { dropout } from "./ops/dropout.ts";
import { gatherRows } from "./ops/gather_rows.ts";
import { l2Normalize } from "./ops/l2_normalize.ts";
import { layerNorm } from "./ops/layer_norm.ts";
import { linear } from "./ops/linear.ts";
import { matmul } from "./ops/matmul.ts";
import { rowDot } from "./ops/row_dot.ts";
import { segmentPool } from "./ops/segment_pool.ts";
import { softmax } from "./ops/softmax.ts";
import { swapAxes } from "./ops/swap_axes.ts";
import { topK } from "./ops/top_k.ts";
import { unary } from "./ops/unary.ts";
import type { OpRule } from "./rule.ts";

/** The rules by op. */
export const RULES: { readonly [K in OpName]: OpRule<K> } = {
  gather_rows: gatherRows,
  linear,
  matmul,
  layer_norm: layerNorm,
  attention,
  attention_pool: attentionPool,
  binary,
  unary,
  concat,
  swap_axes: swapAxes,
  row_dot: rowDot,
  segment_pool: segmentPool,
  l2_normalize: l2Normalize,
  softmax,
  top_k: topK,
  dropout,
};
