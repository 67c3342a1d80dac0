/** `slice_columns` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

const PROGRAM = elementwise({
  label: "slice_columns",
  read: { x: "f32" },
  write: { y: "f32" },
  params: { D: "u32", width: "u32", start: "u32" },
  body: `  y[p.y_at + i] = x[p.x_at + i / p.width * p.D + p.start + i % p.width];`,
});

/** y = columns start .. end of x. */
export function sliceColumns(gpu: Dispatcher): Kernel<"slice_columns", WebGpuBuffer> {
  return ({ x }, { y }, { start, end }) => {
    const count = sizeOf(y.shape);
    const params = { count, D: x.shape[1]!, width: end - start, start };
    gpu.dispatch(PROGRAM, { views: { x, y }, params, groups: elementGroups(count) });
  };
}
