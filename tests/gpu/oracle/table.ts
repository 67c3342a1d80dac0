/** The oracle of every op: leaving one out does not compile. */
import type { UpdateName } from "../../../gpu/ops.ts";
import { attention, attentionGrad } from "./attention.ts";
import { attentionPool, attentionPoolGrad, segmentPool, segmentSpread } from "./cells.ts";
import {
  binary,
  concat,
  dropout,
  gatherRows,
  scaleAdd,
  sliceColumns,
  swapAxes,
  unary,
} from "./elementwise.ts";
import {
  batchNormGrad,
  l2NormalizeGrad,
  layerNormGrad,
  scatterRows,
  softmaxGrad,
  unaryGrad,
} from "./gradients.ts";
import type { Oracle, RunName, UpdateOracle } from "./host.ts";
import { crossEntropy, crossEntropyGrad, pointwiseLoss, pointwiseLossGrad } from "./losses.ts";
import {
  batchNorm,
  columnSum,
  l2Normalize,
  layerNorm,
  linear,
  matmul,
  rowDot,
  softmax,
  topK,
} from "./rows.ts";
import { accumulate, accumulateSquares, adam } from "./updates.ts";

/** Oracles of the ops that give new tensors. */
export const ORACLE: { readonly [K in RunName]: Oracle<K> } = {
  gather_rows: gatherRows,
  linear,
  matmul,
  layer_norm: layerNorm,
  batch_norm: batchNorm,
  attention,
  attention_pool: attentionPool,
  binary,
  scale_add: scaleAdd,
  unary,
  concat,
  slice_columns: sliceColumns,
  swap_axes: swapAxes,
  row_dot: rowDot,
  column_sum: columnSum,
  segment_pool: segmentPool,
  segment_spread: segmentSpread,
  l2_normalize: l2Normalize,
  softmax,
  top_k: topK,
  dropout,
  cross_entropy: crossEntropy,
  pointwise_loss: pointwiseLoss,
  scatter_rows: scatterRows,
  layer_norm_grad: layerNormGrad,
  batch_norm_grad: batchNormGrad,
  attention_grad: attentionGrad,
  attention_pool_grad: attentionPoolGrad,
  unary_grad: unaryGrad,
  l2_normalize_grad: l2NormalizeGrad,
  softmax_grad: softmaxGrad,
  cross_entropy_grad: crossEntropyGrad,
  pointwise_loss_grad: pointwiseLossGrad,
};

/** Oracles of the ops in place. */
export const UPDATE_ORACLE: { readonly [K in UpdateName]: UpdateOracle<K> } = {
  accumulate,
  accumulate_squares: accumulateSquares,
  adam,
};
