/** WGSL functions that several kernels share. */
import type { View } from "../../device.ts";
import type { Activation } from "../../ops.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, unroll } from "../program.ts";

/** A number that stands for minus infinity in running maxima; finite, as WGSL may assume that infinities do not occur. */
export const LOWEST = "-1e30";

/** Whether a view can be read four elements at a time: its rows and its first byte are aligned. */
export function vectorElement(view: View<WebGpuBuffer>): Element {
  return view.byteOffset % 16 === 0 && view.shape.at(-1)! % 4 === 0 ? "vec4f" : "f32";
}

/** `fn act(x: T) -> T`, safe for large |x|, where exp and tanh of some drivers give 0 or NaN. */
export function activationFunction(activation: Activation, type: "f32" | "vec4f"): string {
  return `fn act(x: ${type}) -> ${type} { ${ACTIVATION_BODIES[activation](type)} }`;
}

const ACTIVATION_BODIES: { readonly [A in Activation]: (type: string) => string } = {
  none: () => "return x;",
  relu: (type) => `return max(x, ${type}(0));`,
  leaky_relu: (type) => `return select(0.01 * x, x, x > ${type}(0));`,
  sigmoid: (type) => `return 1 / (1 + exp(-clamp(x, ${type}(-80), ${type}(80))));`,
  tanh: (type) => `
  let e = exp(-2 * min(abs(x), ${type}(20)));
  return sign(x) * (1 - e) / (1 + e);`,
  // erf by Abramowitz & Stegun 7.1.26: absolute error below 1.5e-7.
  gelu: (type) => `
  let z = min(abs(x) * 0.70710678, ${type}(6));
  let t = 1 / (1 + 0.3275911 * z);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return 0.5 * x * (1 + sign(x) * (1 - poly * exp(-z * z)));`,
};

/**
 * `fn reduce_NAME(lid, value) -> f32` over all invocations of a workgroup, in the order of a tree; every invocation gets the result.
 *
 * @param threads Invocations, a power of two
 */
export function reduction(name: "sum" | "max", threads: number): string {
  const join = name === "sum" ? "a + b" : "max(a, b)";
  const step = (half: number) => `
  if (lid < ${half}u) {
    let a = partial_${name}[lid];
    let b = partial_${name}[lid + ${half}u];
    partial_${name}[lid] = ${join};
  }
  workgroupBarrier();`;
  return `
var<workgroup> partial_${name}: array<f32, ${threads}>;
fn reduce_${name}(lid: u32, value: f32) -> f32 {
  partial_${name}[lid] = value;
  workgroupBarrier();
${unroll(Math.log2(threads), (i) => step(threads >> (i + 1)))}
  let all = partial_${name}[0];
  workgroupBarrier();
  return all;
}`;
}
