/** The WebGPU kernel of every op: leaving one out does not compile. */
import type { KernelTable } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateSquares } from "./accumulate_squares.ts";
import { adam } from "./adam.ts";
import { attention } from "./attention.ts";
import { attentionGrad } from "./attention_grad.ts";
import { attentionPool } from "./attention_pool.ts";
import { attentionPoolGrad } from "./attention_pool_grad.ts";
import { batchNorm, batchNormGrad } from "./batch_norm.ts";
import { binary } from "./binary.ts";
import { columnSum } from "./column_sum.ts";
import { concat } from "./concat.ts";
import { crossEntropy, crossEntropyGrad } from "./cross_entropy.ts";
import { dropout } from "./dropout.ts";
import { gatherRows } from "./gather_rows.ts";
import { l2Normalize } from "./l2_normalize.ts";
import { l2NormalizeGrad } from "./l2_normalize_grad.ts";
import { layerNorm } from "./layer_norm.ts";
import { layerNormGrad } from "./layer_norm_grad.ts";
import { linear } from "./linear.ts";
import { matmul } from "./matmul.ts";
import { pointwiseLoss, pointwiseLossGrad } from "./pointwise_loss.ts";
import { rowDot } from "./row_dot.ts";
import { scaleAdd } from "./scale_add.ts";
import { scatterRows } from "./scatter_rows.ts";
import { segmentPool } from "./segment_pool.ts";
import { segmentSpread } from "./segment_spread.ts";
import { sliceColumns } from "./slice_columns.ts";
import { softmax } from "./softmax.ts";
import { softmaxGrad } from "./softmax_grad.ts";
import { swapAxes } from "./swap_axes.ts";
import { topK } from "./top_k.ts";
import { unary } from "./unary.ts";
import { unaryGrad } from "./unary_grad.ts";

/** Binds the kernels to the queue of a device. */
export function makeKernels(gpu: Dispatcher): KernelTable<WebGpuBuffer> {
  return {
    gather_rows: gatherRows(gpu),
    linear: linear(gpu),
    matmul: matmul(gpu),
    layer_norm: layerNorm(gpu),
    batch_norm: batchNorm(gpu),
    attention: attention(gpu),
    attention_pool: attentionPool(gpu),
    binary: binary(gpu),
    scale_add: scaleAdd(gpu),
    unary: unary(gpu),
    concat: concat(gpu),
    slice_columns: sliceColumns(gpu),
    swap_axes: swapAxes(gpu),
    row_dot: rowDot(gpu),
    column_sum: columnSum(gpu),
    segment_pool: segmentPool(gpu),
    segment_spread: segmentSpread(gpu),
    l2_normalize: l2Normalize(gpu),
    softmax: softmax(gpu),
    top_k: topK(gpu),
    dropout: dropout(gpu),
    cross_entropy: crossEntropy(gpu),
    pointwise_loss: pointwiseLoss(gpu),
    scatter_rows: scatterRows(gpu),
    layer_norm_grad: layerNormGrad(gpu),
    batch_norm_grad: batchNormGrad(gpu),
    attention_grad: attentionGrad(gpu),
    attention_pool_grad: attentionPoolGrad(gpu),
    unary_grad: unaryGrad(gpu),
    l2_normalize_grad: l2NormalizeGrad(gpu),
    softmax_grad: softmaxGrad(gpu),
    cross_entropy_grad: crossEntropyGrad(gpu),
    pointwise_loss_grad: pointwiseLossGrad(gpu),
    accumulate: accumulate(gpu),
    accumulate_squares: accumulateSquares(gpu),
    adam: adam(gpu),
  };
}
