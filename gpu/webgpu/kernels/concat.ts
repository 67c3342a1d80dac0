/** `concat` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

const PROGRAM = elementwise({
  label: "concat",
  read: { a: "f32", b: "f32" },
  write: { y: "f32" },
  params: { L: "u32", R: "u32" },
  body: `
  let row = i / (p.L + p.R);
  let column = i % (p.L + p.R);
  if (column < p.L) {
    y[p.y_at + i] = a[p.a_at + row * p.L + column];
  } else {
    y[p.y_at + i] = b[p.b_at + row * p.R + column - p.L];
  }`,
});

/** y = [a | b]. */
export function concat(gpu: Dispatcher): Kernel<"concat", WebGpuBuffer> {
  return ({ a, b }, { y }) => {
    const count = sizeOf(y.shape);
    const params = { count, L: a.shape[1]!, R: b.shape[1]! };
    gpu.dispatch(PROGRAM, { views: { a, b, y }, params, groups: elementGroups(count) });
  };
}
