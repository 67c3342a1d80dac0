/** `scale_add` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, variants } from "../program.ts";
import { elementwise, runStream, streamElement } from "./elementwise.ts";

const program = variants(({ element, both }: { element: Element; both: boolean }) =>
  elementwise({
    label: `scale_add ${element}${both ? " both" : ""}`,
    read: { x: element, ...(both && { z: element }) },
    write: { y: element },
    params: { alpha: "f32", beta: "f32" },
    body: `  y[p.y_at + i] = p.alpha * x[p.x_at + i]${both ? " + p.beta * z[p.z_at + i]" : ""};`,
  })
);

/** y = alpha * x + beta * z. */
export function scaleAdd(gpu: Dispatcher): Kernel<"scale_add", WebGpuBuffer> {
  return ({ x, z }, { y }, { alpha, beta }) => {
    const views = { x, ...(z && { z }), y };
    const element = streamElement(Object.values(views));
    const variant = program({ element, both: z !== undefined });
    runStream(gpu, variant, { element, views, params: { alpha, beta } });
  };
}
