/** `softmax` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { LOWEST } from "./functions.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

const PROGRAM = rowwise({
  label: "softmax",
  read: { x: "f32" },
  write: { y: "f32" },
  params: { D: "u32" },
  max: true,
  body: `
  let row = group * p.D;
  var largest = ${LOWEST};
${eachColumn("largest = max(largest, x[p.x_at + row + d]);")}
  let top = reduce_max(lid, largest);
  var sum = 0.0;
${eachColumn("sum += exp(max(x[p.x_at + row + d] - top, -87.0));")}
  let all = reduce_sum(lid, sum);
${eachColumn("y[p.y_at + row + d] = exp(max(x[p.x_at + row + d] - top, -87.0)) / all;")}`,
});

/** y = softmax of each row. */
export function softmax(gpu: Dispatcher): Kernel<"softmax", WebGpuBuffer> {
  return ({ x }, { y }) => {
    const [M, D] = x.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { x, y }, params: { D }, groups: M });
  };
}
