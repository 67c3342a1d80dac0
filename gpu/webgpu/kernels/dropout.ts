/** `dropout` in WGSL. */
import type { Kernel } from "../../device.ts";
import { dropThreshold } from "../../ops/dropout.ts";
import { seedKey } from "../../random.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

/** Philox4x32-10, the bits of `gpu/random.ts`. */
const PHILOX = `
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (cross >> 16u);
}
fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiply_high(0xd2511f53u, c.x);
    let high1 = multiply_high(0xcd9e8d57u, c.z);
    c = vec4u(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`;

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
