/** `unary` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { OpParams } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { unaryFunction } from "./functions.ts";

const program = variants(({ fn }: OpParams<"unary">) =>
  elementwise({
    label: `unary ${fn}`,
    read: { x: "f32" },
    write: { y: "f32" },
    params: {},
    globals: unaryFunction(fn),
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
