/** `layer_norm` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

/** What rounding takes from the product a b (Veltkamp and Dekker): an `fma` would say it, but some adapters round inside theirs. */
const LOST = `
fn upper(a: f32) -> f32 {
  let c = 4097 * a;
  return c - (c - a);
}
fn lost(a: f32, b: f32) -> f32 {
  let a1 = upper(a);
  let b1 = upper(b);
  let a2 = a - a1;
  let b2 = b - b1;
  return ((a1 * b1 - a * b) + a1 * b2 + a2 * b1) + a2 * b2;
}`;

const program = variants(({ residual }: { residual: boolean }) => {
  const value = `x[p.x_at + row + d]${residual ? " + residual[p.residual_at + row + d]" : ""}`;
  return rowwise({
    label: `layer_norm${residual ? " residual" : ""}`,
    read: { x: "f32", ...(residual && { residual: "f32" }), weight: "f32", bias: "f32" },
    write: { y: "f32" },
    params: { D: "u32", eps: "f32" },
    globals: LOST,
    body: `
  let row = group * p.D;
  var sum = 0.0;
${eachColumn(`sum += ${value};`)}
  let mean = reduce_sum(lid, sum) / f32(p.D);
  var squares = 0.0;
${eachColumn(`let c = ${value} - mean; squares = fma(c, c, squares);`)}
  let variance = reduce_sum(lid, squares) / f32(p.D) + p.eps;
  let scale = 1 / sqrt(variance);
  // One Newton step says what the root lacks; that and what rounding takes from each product are added again.
  let once = variance * scale;
  let rest = 0.5 * scale * ((1 - once * scale) - (lost(once, scale) + lost(variance, scale) * scale));
${
      eachColumn(`
    let c = ${value} - mean;
    let gain = weight[p.weight_at + d];
    let normal = c * scale;
    let scaled = normal * gain;
    let missing = fma(fma(c, rest, lost(c, scale)), gain, lost(normal, gain));
    y[p.y_at + row + d] = scaled + (bias[p.bias_at + d] + missing);`)
    }`,
  });
});

/** y = norm(x + residual) * weight + bias. */
export function layerNorm(gpu: Dispatcher): Kernel<"layer_norm", WebGpuBuffer> {
  return ({ x, weight, bias, residual }, { y }, { eps }) => {
    const [M, D] = x.shape as [number, number];
    const views = { x, weight, bias, y, ...(residual && { residual }) };
    gpu.dispatch(program({ residual: residual !== undefined }), {
      views,
      params: { D, eps },
      groups: M,
    });
  };
}
