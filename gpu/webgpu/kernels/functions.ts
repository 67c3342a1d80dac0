/** WGSL functions that several kernels share. */
import type { View } from "../../device.ts";
import type { Activation, UnaryFunction } from "../../ops.ts";
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

/**
 * `z` = |v| / √2 and `tail` = 1 - erf(z), by Abramowitz & Stegun 7.1.26: absolute error below 1.5e-7. Beyond z = 6 nothing is left.
 */
export const GELU_TAIL = (type: Element): string => `
  let z = min(abs(v) * 0.70710678, ${type}(6));
  let t = 1 / (1 + 0.3275911 * z);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let tail = poly * exp(-z * z);`;

const ACTIVATION_BODIES: { readonly [A in Activation]: (type: "f32" | "vec4f") => string } = {
  none: () => "return x;",
  relu: (type) => `return max(x, ${type}(0));`,
  leaky_relu: (type) => `return select(0.01 * x, x, x > ${type}(0));`,
  sigmoid: (type) => `return 1 / (1 + exp(-clamp(x, ${type}(-80), ${type}(80))));`,
  tanh: (type) => `
  let e = exp(-2 * min(abs(x), ${type}(20)));
  return sign(x) * (1 - e) / (1 + e);`,
  gelu: (type) => `
  let v = x;
  ${GELU_TAIL(type)}
  return 0.5 * x * (1 + sign(x) * (1 - tail));`,
};

/**
 * `fn log1p(x)` and `fn ln(x)`. Where the result is near 0 they take the series of 2 artanh(u / (2 + u)), as `log` may err by
 * 5e-7 there.
 */
export const LOGARITHMS = `
fn log_near_one(u: f32) -> f32 {
  let s = u / (2 + u);
  let q = s * s;
  return 2 * s * (1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q / 9))));
}
fn log1p(x: f32) -> f32 { return select(log(1 + x), log_near_one(x), abs(x) < 0.3); }
fn ln(x: f32) -> f32 { return select(log(x), log_near_one(x - 1), abs(x - 1) < 0.3); }`;

/** `fn act(x: f32) -> f32` for the op `unary`. */
export function unaryFunction(fn: UnaryFunction): string {
  if (fn !== "log1p") return activationFunction(fn, "f32");
  return `${LOGARITHMS}\nfn act(x: f32) -> f32 { return log1p(x); }`;
}

/** `fn cell_of_token(t) -> u32` for programs that read `offsets` and are told B: the last cell that begins at or before token t. */
export const CELL_OF_TOKEN = `
fn cell_of_token(t: u32) -> u32 {
  var low = 0u;
  var high = p.B;
  for (var step = 0u; step < 32u && high - low > 1u; step++) {
    let middle = (low + high) / 2u;
    if (offsets[p.offsets_at + middle] <= t) { low = middle; } else { high = middle; }
  }
  return low;
}`;

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
