/** The WebGPU kernel of every op: leaving one out does not compile. */
import type { KernelTable } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { attention } from "./attention.ts";
import { attentionPool } from "./attention_pool.ts";
import { binary } from "./binary.ts";
import { concat } from "./concat.ts";
import { dropout } from "./dropout.ts";
import { gatherRows } from "./gather_rows.ts";
import { l2Normalize } from "./l2_normalize.ts";
import { layerNorm } from "./layer_norm.ts";
import { linear } from "./linear.ts";
import { matmul } from "./matmul.ts";
import { rowDot } from "./row_dot.ts";
import { segmentPool } from "./segment_pool.ts";
import { softmax } from "./softmax.ts";
import { swapAxes } from "./swap_axes.ts";
import { topK } from "./top_k.ts";
import { unary } from "./unary.ts";

/** Binds the kernels to the queue of a device. */
export function makeKernels(gpu: Dispatcher): KernelTable<WebGpuBuffer> {
  return {
    gather_rows: gatherRows(gpu),
    linear: linear(gpu),
    matmul: matmul(gpu),
    layer_norm: layerNorm(gpu),
    attention: attention(gpu),
    attention_pool: attentionPool(gpu),
    binary: binary(gpu),
    unary: unary(gpu),
    concat: concat(gpu),
    swap_axes: swapAxes(gpu),
    row_dot: rowDot(gpu),
    segment_pool: segmentPool(gpu),
    l2_normalize: l2Normalize(gpu),
    softmax: softmax(gpu),
    top_k: topK(gpu),
    dropout: dropout(gpu),
  };
}
