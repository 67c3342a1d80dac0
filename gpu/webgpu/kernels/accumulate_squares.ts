/** `accumulate_squares` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { sumTerms, totalProgram } from "./total_sum.ts";

const SQUARES = totalProgram({
  label: "squares",
  read: { x: "f32" },
  term: "x[p.x_at + i] * x[p.x_at + i]",
  add: true,
});

/** sum[0] += Σ x², in place. */
export function accumulateSquares(gpu: Dispatcher): Kernel<"accumulate_squares", WebGpuBuffer> {
  return ({ x }, { sum }) => sumTerms(gpu, SQUARES, { views: { x }, count: sizeOf(x.shape), sum });
}
