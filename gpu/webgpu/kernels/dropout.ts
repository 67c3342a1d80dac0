/** `dropout` in WGSL. */
import type { Kernel } from "../../device.ts";
import { dropThreshold } from "../../ops/dropout.ts";
import { seedKey } from "../../random.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { PHILOX } from "./philox.ts";

/** One invocation draws the four words of four columns. */
const program = variants(({ keyed }: { keyed: boolean }) =>
  elementwise({
    label: `dropout${keyed ? " keyed" : ""}`,
    read: { x: "f32", ...(keyed && { row_key: "u32" }) },
    write: { y: "f32" },
    params: {
      D: "u32",
      quads: "u32",
      key0: "u32",
      key1: "u32",
      stream: "u32",
      threshold: "u32",
      scale: "f32",
    },
    globals: PHILOX,
    body: `
  let row = i / p.quads;
  let quad = i % p.quads;
  let entity = ${
      keyed
        ? "vec2u(row_key[p.row_key_at + 2u * row], row_key[p.row_key_at + 2u * row + 1u])"
        : "vec2u(row, 0u)"
    };
  let words = philox(vec4u(quad, entity, p.stream), vec2u(p.key0, p.key1));
  let at = row * p.D + 4u * quad;
${
      unroll(4, (c) => `
  if (4u * quad + ${c}u < p.D) {
    y[p.y_at + at + ${c}u] = select(0, x[p.x_at + at + ${c}u] * p.scale, words[${c}] >= p.threshold);
  }`)
    }`,
  })
);

/** y = x * keep/(1-p). */
export function dropout(gpu: Dispatcher): Kernel<"dropout", WebGpuBuffer> {
  return ({ x, row_key }, { y }, { p, seed, stream }) => {
    const [M, D] = x.shape as [number, number];
    const quads = Math.ceil(D / 4);
    const [key0, key1] = seedKey(seed);
    const params = {
      D,
      quads,
      key0,
      key1,
      stream,
      threshold: dropThreshold(p),
      scale: 1 / (1 - p),
    };
    const views = { x, y, ...(row_key && { row_key }) };
    const count = M * quads;
    const groups = elementGroups(count);
    gpu.dispatch(program({ keyed: row_key !== undefined }), {
      views,
      params: { count, ...params },
      groups,
    });
  };
}
