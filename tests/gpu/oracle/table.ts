/** The oracle of every op: leaving one out does not compile. */
import type { OpName } from "../../../gpu/ops.ts";
import { attention, attentionPool, segmentPool } from "./cells.ts";
import { binary, concat, dropout, gatherRows, swapAxes, unary } from "./elementwise.ts";
import type { Oracle } from "./host.ts";
import { l2Normalize, layerNorm, linear, matmul, rowDot, softmax, topK } from "./rows.ts";

/** Oracles by op. */
export const ORACLE: { readonly [K in OpName]: Oracle<K> } = {
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
