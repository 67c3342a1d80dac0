/** `accumulate` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, variants } from "../program.ts";
import { elementwise, runStream, streamElement } from "./elementwise.ts";

const program = variants(({ element }: { element: Element }) =>
  elementwise({
    label: `accumulate ${element}`,
    read: { x: element },
    write: { sum: element },
    params: { keep: "f32", scale: "f32" },
    body: `  sum[p.sum_at + i] = p.keep * sum[p.sum_at + i] + p.scale * x[p.x_at + i];`,
  })
);

/** sum = keep * sum + scale * x, in place. */
export function accumulate(gpu: Dispatcher): Kernel<"accumulate", WebGpuBuffer> {
  return ({ x }, { sum }, { keep, scale }) => {
    const element = streamElement([x, sum]);
    runStream(gpu, program({ element }), { element, views: { x, sum }, params: { keep, scale } });
  };
}
