/** `l2_normalize_grad` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

const PROGRAM = rowwise({
  label: "l2_normalize_grad",
  read: { x: "f32", y_gradient: "f32" },
  write: { x_gradient: "f32" },
  params: { D: "u32", eps: "f32" },
  body: `
  let row = group * p.D;
  var squares = 0.0;
  var products = 0.0;
${
    eachColumn(`let v = x[p.x_at + row + d];
    squares = fma(v, v, squares);
    products = fma(v, y_gradient[p.y_gradient_at + row + d], products);`)
  }
  let norm = sqrt(reduce_sum(lid, squares));
  let product = reduce_sum(lid, products);
  let length = max(norm, p.eps);
  // Along x nothing changes, unless x is shorter than eps and so only divided by it.
  let along = select(0.0, product / length / length, norm > p.eps);
${
    eachColumn(`x_gradient[p.x_gradient_at + row + d] =
      (y_gradient[p.y_gradient_at + row + d] - x[p.x_at + row + d] * along) / length;`)
  }`,
});

/** (dy - y (y·dy)) / |x| row by row, and dy / eps for rows shorter than eps. */
export function l2NormalizeGrad(gpu: Dispatcher): Kernel<"l2_normalize_grad", WebGpuBuffer> {
  return ({ x, y_gradient }, { x_gradient }, { eps }) => {
    const [M, D] = x.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { x, y_gradient, x_gradient }, params: { D, eps }, groups: M });
  };
}
