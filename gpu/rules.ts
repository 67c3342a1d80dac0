/** Shape rule and gradient of every op: leaving one out does not compile. */
import type { OpName } from "./ops.ts";
import { attention, attentionGrad } from "./ops/attention.ts";
import { attentionPool, attentionPoolGrad } from "./ops/attention_pool.ts";
import { batchNorm, batchNormGrad } from "./ops/batch_norm.ts";
import { binary } from "./ops/binary.ts";
import { columnSum } from "./ops/column_sum.ts";
import { concat, sliceColumns } from "./ops/concat.ts";
import { dropout } from "./ops/dropout.ts";
import { gatherRows } from "./ops/gather_rows.ts";
import { l2Normalize, l2NormalizeGrad } from "./ops/l2_normalize.ts";
import { layerNorm, layerNormGrad } from "./ops/layer_norm.ts";
import { linear } from "./ops/linear.ts";
import { crossEntropy, crossEntropyGrad, pointwiseLoss, pointwiseLossGrad } from "./ops/losses.ts";
import { matmul } from "./ops/matmul.ts";
import { rowDot } from "./ops/row_dot.ts";
import { scaleAdd } from "./ops/scale_add.ts";
import { scatterRows } from "./ops/scatter_rows.ts";
import { segmentPool, segmentSpread } from "./ops/segment_pool.ts";
import { softmax, softmaxGrad } from "./ops/softmax.ts";
import { swapAxes } from "./ops/swap_axes.ts";
import { topK } from "./ops/top_k.ts";
import { unary, unaryGrad } from "./ops/unary.ts";
import { accumulate, accumulateSquares, adam } from "./ops/updates.ts";
import type { OpRule } from "./rule.ts";

/** The rules by op. */
export const RULES: { readonly [K in OpName]: OpRule<K> } = {
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
  accumulate,
  accumulate_squares: accumulateSquares,
  adam,
};
