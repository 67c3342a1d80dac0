/** `l2_normalize` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

const PROGRAM = rowwise({
  label: "l2_normalize",
  read: { x: "f32" },
  write: { y: "f32" },
  params: { D: "u32", eps: "f32" },
  body: `
  let row = group * p.D;
  var squares = 0.0;
${eachColumn("let v = x[p.x_at + row + d]; squares = fma(v, v, squares);")}
  let norm = max(sqrt(reduce_sum(lid, squares)), p.eps);
${eachColumn("y[p.y_at + row + d] = x[p.x_at + row + d] / norm;")}`,
});

/** y = x / max(|x|₂, eps) row by row. */
export function l2Normalize(gpu: Dispatcher): Kernel<"l2_normalize", WebGpuBuffer> {
  return ({ x }, { y }, { eps }) => {
    const [M, D] = x.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { x, y }, params: { D, eps }, groups: M });
  };
}
