/** `matmul` in WGSL. */
import type { Kernel, View } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { sumRows } from "./column_sums.ts";
import { vectorElement } from "./functions.ts";
import { product, productGrid } from "./product.ts";

/** Workgroups that fill a large GPU, and the fewest values of k that are worth a part of a sum. */
const ENOUGH = 512, DEPTH = 256;

/** y[g] = a[g] · b[g]. */
export function matmul(gpu: Dispatcher): Kernel<"matmul", WebGpuBuffer> {
  return ({ a, b }, { y }, { transposeA, transposeB }) => {
    const [G, M, N] = y.shape as [number, number, number];
    const K = a.shape[transposeA ? 1 : 2]!;
    const multiply = (y: View<WebGpuBuffer>, parts: number) => {
      const { tile, groups, ...tiles } = productGrid(G * parts, M, N);
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
      const params = { M, N, K, ...tiles, parts, depth: depthOf(K, parts) };
      gpu.dispatch(program, { views: { a, b, y }, params, groups });
    };
    const parts = transposeA && G === 1 ? partsOf(M, N, K) : 1;
    if (parts === 1) return multiply(y, 1);
    gpu.scratch([[parts, M, N]], (sums) => {
      multiply(sums, parts);
      sumRows(gpu, { ...sums, shape: [parts, M * N] }, { ...y, shape: [M * N] });
    });
  };
}

/**
 * Parts of a sum over rows, as a weight's gradient is: small and deep, so its tiles alone leave most of a GPU idle. A function of the
 * shape alone, as all sums' order; other products have one part, as rows of theirs must not depend on how many there are.
 */
function partsOf(M: number, N: number, K: number): number {
  const { groups } = productGrid(1, M, N);
  return Math.max(1, Math.min(Math.floor(ENOUGH / groups), Math.floor(K / DEPTH)));
}

/** Values of k in a part: a multiple of every tile's depth. */
function depthOf(K: number, parts: number): number {
  return parts === 1 ? K : Math.ceil(K / parts / 32) * 32;
}
