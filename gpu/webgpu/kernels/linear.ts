/** `linear` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { vectorElement } from "./functions.ts";
import { product, productGrid } from "./product.ts";

/** y = act(x · weightᵀ + bias). */
export function linear(gpu: Dispatcher): Kernel<"linear", WebGpuBuffer> {
  return ({ x, weight, bias }, { y }, { activation }) => {
    const [M, K] = x.shape as [number, number];
    const N = weight.shape[0]!;
    const { tile, groups, ...tiles } = productGrid(1, M, N);
    const program = product({
      aLayout: "rows",
      bLayout: "rows",
      a: vectorElement(x),
      b: vectorElement(weight),
      y: vectorElement(y),
      bias: bias !== undefined,
      activation,
      tile,
    });
    const views = { a: x, b: weight, y, ...(bias && { bias }) };
    gpu.dispatch(program, { views, params: { M, N, K, ...tiles, parts: 1, depth: K }, groups });
  };
}
