/** The table of the WASM device's kernels, one an op; the launches lie in the files of their themes. */
import type { KernelTable } from "../device.ts";
import { attention, attentionGrad, attentionPool, attentionPoolGrad } from "./attention.ts";
import { elementKernels } from "./elements.ts";
import type { WasmBuffer, WasmEngine } from "./engine.ts";
import { lossKernels } from "./losses.ts";
import { movingKernels } from "./moving.ts";
import { normKernels } from "./norms.ts";
import { linear, matmul } from "./products.ts";
import { summingKernels } from "./sums.ts";

/** The kernels of a WASM device. */
export function wasmKernels(engine: WasmEngine): KernelTable<WasmBuffer> {
  return {
    linear: linear(engine),
    matmul: matmul(engine),
    attention: attention(engine),
    attention_pool: attentionPool(engine),
    attention_grad: attentionGrad(engine),
    attention_pool_grad: attentionPoolGrad(engine),
    ...elementKernels(engine),
    ...lossKernels(engine),
    ...movingKernels(engine),
    ...normKernels(engine),
    ...summingKernels(engine),
  };
}
