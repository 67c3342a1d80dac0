/** `binary` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { OpParams } from "../../ops.ts";
import { type Spread, spreadOf } from "../../ops/binary.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

const SIGNS = { add: "+", sub: "-", mul: "*" } as const;
const INDEX: { readonly [S in Spread]: string } = {
  element: "i",
  row: "i % p.D",
  column: "i / p.D",
};

const program = variants(({ fn, spread }: OpParams<"binary"> & { spread: Spread }) =>
  elementwise({
    label: `binary ${fn} ${spread}`,
    read: { a: "f32", b: "f32" },
    write: { y: "f32" },
    params: { D: "u32" },
    body: `  y[p.y_at + i] = a[p.a_at + i] ${SIGNS[fn]} b[p.b_at + ${INDEX[spread]}];`,
  })
);

/** y = a ∘ b. */
export function binary(gpu: Dispatcher): Kernel<"binary", WebGpuBuffer> {
  return ({ a, b }, { y }, { fn }) => {
    const count = sizeOf(a.shape);
    const params = { count, D: a.shape[1]! };
    const spread = spreadOf(a.shape, b.shape);
    gpu.dispatch(program({ fn, spread }), {
      views: { a, b, y },
      params,
      groups: elementGroups(count),
    });
  };
}
