// Entry of the WASM module: every kernel has the signature (arguments, chunk, scratch); chunks are independent of each other.
export { attention, attentionPool, KEYS as attentionKeys, ROWS as attentionRows } from "./attention";
export { binary, dropout, unary } from "./elementwise";
export { gemm, pack } from "./gemm";
export {
  concat,
  gatherRows,
  l2Normalize,
  layerNorm,
  rowDot,
  segmentPool,
  softmax,
  swapAxes,
  topK,
} from "./rows";
