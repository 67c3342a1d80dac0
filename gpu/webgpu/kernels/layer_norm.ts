/** `layer_norm` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

/**
 * `product_sum(a, b, c)` = a b + c with one rounding of the whole, or nearly: for c = -(a b) what rounding takes from the product.
 * Factors are split by their bits into halves whose products are exact, so that it makes no difference where a compiler fuses a
 * multiplication with an addition, as WGSL lets it, or rounds inside an `fma`, as some adapters do.
 */
const PRODUCT_SUM = `
fn upper(a: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a) & 0xfffff000u); }
fn product_sum(a: f32, b: f32, c: f32) -> f32 {
  let a1 = upper(a);
  let b1 = upper(b);
  let a2 = a - a1;
  let b2 = b - b1;
  return (fma(a1, b1, c) + (a1 * b2 + a2 * b1)) + a2 * b2;
}
// The same for a c that is no small rest: the exact product comes last.
fn last_sum(a: f32, b: f32, c: f32) -> f32 {
  let a1 = upper(a);
  let b1 = upper(b);
  let a2 = a - a1;
  let b2 = b - b1;
  return a1 * b1 + ((a1 * b2 + a2 * b1) + (a2 * b2 + c));
}`;

const program = variants(({ residual }: { residual: boolean }) => {
  const value = `x[p.x_at + row + d]${residual ? " + residual[p.residual_at + row + d]" : ""}`;
  return rowwise({
    label: `layer_norm${residual ? " residual" : ""}`,
    read: { x: "f32", ...(residual && { residual: "f32" }), weight: "f32", bias: "f32" },
    write: { y: "f32" },
    params: { D: "u32", eps: "f32" },
    globals: PRODUCT_SUM,
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
  let lack = fma(product_sum(variance, scale, -once), scale, product_sum(once, scale, -1));
  let rest = -0.5 * scale * lack;
${
      eachColumn(`
    let c = ${value} - mean;
    let gain = weight[p.weight_at + d];
    let normal = c * scale;
    let missing = fma(c, rest, product_sum(c, scale, -normal));
    y[p.y_at + row + d] = last_sum(normal, gain, fma(missing, gain, bias[p.bias_at + d]));`)
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
