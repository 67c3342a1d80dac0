/** `segment_spread` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { OpParams } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { CELL_OF_TOKEN } from "./functions.ts";

const program = variants(({ mode }: Pick<OpParams<"segment_spread">, "mode">) =>
  elementwise({
    label: `segment_spread ${mode}`,
    read: { x: "f32", offsets: "u32" },
    write: { y: "f32" },
    params: { B: "u32", D: "u32" },
    globals: CELL_OF_TOKEN,
    body: `
  let cell = cell_of_token(i / p.D);
  let value = x[p.x_at + cell * p.D + i % p.D];
  let at = p.offsets_at + cell;
  y[p.y_at + i] = ${mode === "mean" ? "value / f32(offsets[at + 1u] - offsets[at])" : "value"};`,
  })
);

/** Each cell's row for all its tokens. */
export function segmentSpread(gpu: Dispatcher): Kernel<"segment_spread", WebGpuBuffer> {
  return ({ x, offsets }, { y }, { mode }) => {
    const [B, D] = x.shape as [number, number];
    const count = sizeOf(y.shape);
    const views = { x, offsets, y };
    gpu.dispatch(program({ mode }), {
      views,
      params: { count, B, D },
      groups: elementGroups(count),
    });
  };
}
