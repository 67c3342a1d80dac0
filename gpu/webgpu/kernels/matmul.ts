/** `matmul` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { vectorElement } from "./functions.ts";
import { product, productGrid } from "./product.ts";

/** y[g] = a[g] · b[g]. */
export function matmul(gpu: Dispatcher): Kernel<"matmul", WebGpuBuffer> {
  return ({ a, b }, { y }, { transposeA, transposeB }) => {
    const [G, M, N] = y.shape as [number, number, number];
    const K = a.shape[transposeA ? 1 : 2]!;
    const { tile, groups, ...tiles } = productGrid(G, M, N);
    const program = product({
      aLayout: transposeA ? "columns" : "rows",
      bLayout: transposeB ? "rows" : "columns",
      a: vectorElement(a),
      b: vectorElement(b),
      y: vectorElement(y),
      bias: false,
      activation: "none",
      tile,
    });
    gpu.dispatch(program, { views: { a, b, y }, params: { M, N, K, ...tiles }, groups });
  };
}
