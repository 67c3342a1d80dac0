/** `softmax_grad` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

const PROGRAM = rowwise({
  label: "softmax_grad",
  read: { y: "f32", y_gradient: "f32" },
  write: { x_gradient: "f32" },
  params: { D: "u32" },
  body: `
  let row = group * p.D;
  var sum = 0.0;
${eachColumn("sum = fma(y[p.y_at + row + d], y_gradient[p.y_gradient_at + row + d], sum);")}
  let mean = reduce_sum(lid, sum);
${
    eachColumn(`x_gradient[p.x_gradient_at + row + d] =
      y[p.y_at + row + d] * (y_gradient[p.y_gradient_at + row + d] - mean);`)
  }`,
});

/** y (dy - y·dy) row by row. */
export function softmaxGrad(gpu: Dispatcher): Kernel<"softmax_grad", WebGpuBuffer> {
  return ({ y, y_gradient }, { x_gradient }) => {
    const [M, D] = y.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { y, y_gradient, x_gradient }, params: { D }, groups: M });
  };
}
