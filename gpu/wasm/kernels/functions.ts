// Functions of single numbers and their slopes (AssemblyScript). Codes: FUNCTION_CODES of elements.ts.
import { exp2x4, LOG2E, madd } from "./simd";

export const NONE: i32 = 0, RELU: i32 = 1, LEAKY_RELU: i32 = 2, SIGMOID: i32 = 3, TANH: i32 = 4, GELU: i32 = 5, LOG1P: i32 = 6;
const LEAKY_SLOPE: f32 = 0.01;

// Four values of relu, leaky relu, sigmoid or gelu; `fn` is a constant.
// @ts-ignore: decorator
@inline
export function valueOf(fn: i32, x: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (fn == RELU) return f32x4.max(x, zero);
  if (fn == LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, f32x4.splat(LEAKY_SLOPE)), f32x4.gt(x, zero));
  if (fn == GELU) return f32x4.mul(x, normalBelow(x, bell(x)));
  const e = exp2x4(f32x4.mul(f32x4.abs(x), f32x4.splat(-LOG2E))), large = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(f32x4.mul(e, large), large, f32x4.lt(x, zero));
}

// Four slopes times `dy`, from the value y, but for gelu and log1p from x; `fn` is a constant.
// @ts-ignore: decorator
@inline
export function slopeTimes(fn: i32, value: v128, dy: v128): v128 {
  const one = f32x4.splat(1), positive = f32x4.gt(value, f32x4.splat(0));
  if (fn == RELU) return v128.and(dy, positive);
  if (fn == LEAKY_RELU) return v128.bitselect(dy, f32x4.mul(dy, f32x4.splat(LEAKY_SLOPE)), positive);
  if (fn == SIGMOID) return f32x4.mul(dy, f32x4.mul(value, f32x4.sub(one, value)));
  if (fn == TANH) return f32x4.mul(dy, f32x4.mul(f32x4.sub(one, value), f32x4.add(one, value)));
  if (fn == LOG1P) return f32x4.div(dy, f32x4.add(one, value));
  const e = bell(value), density = f32x4.mul(e, f32x4.splat(0.3989422804));
  return f32x4.mul(dy, madd(value, density, normalBelow(value, e)));
}

// e^(-x²/2).
// @ts-ignore: decorator
@inline
function bell(x: v128): v128 {
  return exp2x4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(<f32> -0.5 * LOG2E)));
}

// Coefficients of normalBelow: c, then those of P from the highest degree down.
const TAIL: usize = memory.data<f32>([
  0.3,
  0.03567764472292408,
  -0.15721554803078663,
  0.20637579649492485,
  -0.05370485099149946,
  0.12857317948573108,
  0.09990990092407254,
  0.12075454394501975,
  0.1196292598196827,
]);

// Φ(x), the share of the normal distribution below x, with e = e^(-x²/2): Φ(-u) = e t P(t), t = 1/(1 + cu), fitted for the least
// relative error over u = 0 .. 14, which is 1.5e-7, so that also small shares are exact.
// @ts-ignore: decorator
@inline
function normalBelow(x: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, madd(f32x4.abs(x), v128.load32_splat(TAIL), one));
  let p = v128.load32_splat(TAIL, 4);
  p = madd(p, t, v128.load32_splat(TAIL, 8));
  p = madd(p, t, v128.load32_splat(TAIL, 12));
  p = madd(p, t, v128.load32_splat(TAIL, 16));
  p = madd(p, t, v128.load32_splat(TAIL, 20));
  p = madd(p, t, v128.load32_splat(TAIL, 24));
  p = madd(p, t, v128.load32_splat(TAIL, 28));
  p = madd(p, t, v128.load32_splat(TAIL, 32));
  const tail = f32x4.mul(e, f32x4.mul(t, p));
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}
