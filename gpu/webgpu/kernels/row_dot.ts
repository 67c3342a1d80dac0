/** `row_dot` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

const PROGRAM = rowwise({
  label: "row_dot",
  read: { a: "f32", b: "f32" },
  write: { y: "f32" },
  params: { D: "u32" },
  body: `
  let row = group * p.D;
  var sum = 0.0;
${eachColumn("sum = fma(a[p.a_at + row + d], b[p.b_at + row + d], sum);")}
  let all = reduce_sum(lid, sum);
  if (lid == 0u) { y[p.y_at + group] = all; }`,
});

/** y[m] = a[m]·b[m]. */
export function rowDot(gpu: Dispatcher): Kernel<"row_dot", WebGpuBuffer> {
  return ({ a, b }, { y }) => {
    const [M, D] = a.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { a, b, y }, params: { D }, groups: M });
  };
}
