// Entry of the WASM module: every kernel has the signature (arguments, chunk, scratch); chunks are independent of each other.
export { attention, KEYS as attentionKeys, ROWS as attentionRows } from "./attention";
export { attentionGrad, KEYS as attentionGradKeys, ROWS as attentionGradRows } from "./attention_grad";
export { attentionPool, attentionPoolGrad } from "./attention_pool";
export { binary, dropout, scaleAdd, unary, unaryGrad } from "./elementwise";
export { addOuterProducts64, multiplyRows64 } from "./float64";
export { gemm, pack } from "./gemm";
export { crossEntropy, crossEntropyGrad, pointwiseLoss, pointwiseLossGrad } from "./losses";
export {
  batchNorm,
  batchNormGrad,
  l2Normalize,
  l2NormalizeGrad,
  layerNorm,
  layerNormGrad,
  softmax,
  softmaxGrad,
} from "./norms";
export {
  concat,
  gatherRows,
  rowDot,
  scatterRows,
  segmentPool,
  segmentSpread,
  sliceColumns,
  swapAxes,
  topK,
  transpose,
  zero,
} from "./rows";
export { addPartials, columnSums, squares } from "./sums";
export { adam } from "./updates";
