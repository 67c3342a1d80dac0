/** `column_sum` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { sumRows } from "./column_sums.ts";

/** Sum of each column. */
export function columnSum(gpu: Dispatcher): Kernel<"column_sum", WebGpuBuffer> {
  return ({ x }, { y }) => sumRows(gpu, x, y);
}
