/** `swap_axes` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

const PROGRAM = elementwise({
  label: "swap_axes",
  read: { x: "f32" },
  write: { y: "f32" },
  params: { A: "u32", B: "u32", D: "u32" },
  body: `
  let d = i % p.D;
  let a = i / p.D % p.A;
  let b = i / p.D / p.A;
  y[p.y_at + i] = x[p.x_at + (a * p.B + b) * p.D + d];`,
});

/** y[b,a] = x[a,b]. */
export function swapAxes(gpu: Dispatcher): Kernel<"swap_axes", WebGpuBuffer> {
  return ({ x }, { y }) => {
    const [A, B, D] = x.shape as [number, number, number];
    const count = sizeOf(x.shape);
    gpu.dispatch(PROGRAM, {
      views: { x, y },
      params: { count, A, B, D },
      groups: elementGroups(count),
    });
  };
}
