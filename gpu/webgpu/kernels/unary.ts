/** `unary` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { OpParams } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { activationFunction } from "./functions.ts";

/** Near 0 the series of 2 artanh(x / (2 + x)), as log may err by 5e-7 there. */
const LOG1P = `fn act(x: f32) -> f32 {
  let s = x / (2 + x);
  let q = s * s;
  let series = 2 * s * (1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q / 9))));
  return select(log(1 + x), series, abs(x) < 0.3);
}`;

const program = variants(({ fn }: OpParams<"unary">) =>
  elementwise({
    label: `unary ${fn}`,
    read: { x: "f32" },
    write: { y: "f32" },
    params: {},
    globals: fn === "log1p" ? LOG1P : activationFunction(fn, "f32"),
    body: `  y[p.y_at + i] = act(x[p.x_at + i]);`,
  })
);

/** y = fn(x). */
export function unary(gpu: Dispatcher): Kernel<"unary", WebGpuBuffer> {
  return ({ x }, { y }, { fn }) => {
    const count = sizeOf(x.shape);
    gpu.dispatch(program({ fn }), {
      views: { x, y },
      params: { count },
      groups: elementGroups(count),
    });
  };
}
