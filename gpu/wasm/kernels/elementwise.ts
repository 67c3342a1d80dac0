// Kernels over single elements (AssemblyScript): word 0 is the number of elements, or rows, and word 1 how many a chunk takes.
// A run of elements that does not end on a vector reads up to three floats past its end, which the arena allows.
import { GELU, LEAKY_RELU, LOG1P, NONE, RELU, SIGMOID, slopeTimes, TANH, valueOf } from "./functions";
import { PHILOX_KEYS_BYTES, philox4Rows, philoxKeys } from "./philox";
import { endOf, firstOf, madd, pointer, real, storeFirst, storeUpTo, word } from "./simd";

const ADD: i32 = 0, SUB: i32 = 1, MUL: i32 = 2;
const SELF: i32 = 0, ROW: i32 = 1;

// y = a ∘ b. args: 2 a, 3 b, 4 y, 5 width, 6 function (0 add, 1 sub, 2 mul), 7 b is (0 like a, 1 one row, 2 one column)
export function binary(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), fn = word(args, 6), kind = word(args, 7);
  const first = firstOf(args, chunk), end = endOf(args, chunk);
  const rowBytes = <usize> width << 2, offset = <usize> first * rowBytes;
  let a = pointer(args, 2) + offset, y = pointer(args, 4) + offset;
  if (kind == SELF) return combine(fn, a, pointer(args, 3) + offset, y, (end - first) * width);
  for (let m = first; m < end; m++) {
    if (kind == ROW) combine(fn, a, pointer(args, 3), y, width);
    else combineWithOne(fn, a, load<f32>(pointer(args, 3) + (<usize> m << 2)), y, width);
    a += rowBytes;
    y += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function combined(fn: i32, a: v128, b: v128): v128 {
  return fn == ADD ? f32x4.add(a, b) : fn == SUB ? f32x4.sub(a, b) : f32x4.mul(a, b);
}

function combine(fn: i32, a: usize, b: usize, y: usize, n: i32): void {
  if (fn == ADD) combineRun(ADD, a, b, y, n);
  else if (fn == SUB) combineRun(SUB, a, b, y, n);
  else combineRun(MUL, a, b, y, n);
}

// @ts-ignore: decorator
@inline
function combineRun(fn: i32, a: usize, b: usize, y: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, combined(fn, v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    y += 16;
  }
  storeFirst(y, combined(fn, v128.load(a), v128.load(b)), n);
}

function combineWithOne(fn: i32, a: usize, b: f32, y: usize, n: i32): void {
  const one = f32x4.splat(b);
  for (; n >= 4; n -= 4) {
    v128.store(y, combined(fn, v128.load(a), one));
    a += 16;
    y += 16;
  }
  storeFirst(y, combined(fn, v128.load(a), one), n);
}

// y = alpha x + beta z, or alpha x where z is 0. args: 2 x, 3 z, 4 y, 5 alpha, 6 beta
export function scaleAdd(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), offset = <usize> first << 2;
  const alpha = f32x4.splat(real(args, 5)), beta = f32x4.splat(real(args, 6));
  let n = endOf(args, chunk) - first;
  let x = pointer(args, 2) + offset, z = pointer(args, 3), y = pointer(args, 4) + offset;
  if (z == 0) {
    for (; n >= 4; n -= 4) {
      v128.store(y, f32x4.mul(alpha, v128.load(x)));
      x += 16;
      y += 16;
    }
    return storeFirst(y, f32x4.mul(alpha, v128.load(x)), n);
  }
  z += offset;
  for (; n >= 4; n -= 4) {
    v128.store(y, madd(alpha, v128.load(x), f32x4.mul(beta, v128.load(z))));
    x += 16;
    z += 16;
    y += 16;
  }
  storeFirst(y, madd(alpha, v128.load(x), f32x4.mul(beta, v128.load(z))), n);
}

// y = fn(x). args: 2 x, 3 y, 4 function
export function unary(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), n = endOf(args, chunk) - first, offset = <usize> first << 2;
  const x = pointer(args, 2) + offset, y = pointer(args, 3) + offset, fn = word(args, 4);
  if (fn == NONE) memory.copy(y, x, <usize> n << 2);
  else if (fn == RELU) valueRun(RELU, x, y, n);
  else if (fn == LEAKY_RELU) valueRun(LEAKY_RELU, x, y, n);
  else if (fn == SIGMOID) valueRun(SIGMOID, x, y, n);
  else if (fn == GELU) valueRun(GELU, x, y, n);
  else {
    for (let at: usize = 0, end = <usize> n << 2; at < end; at += 4) {
      const value = <f64> load<f32>(x + at);
      store<f32>(y + at, <f32> (fn == TANH ? Math.tanh(value) : Math.log1p(value)));
    }
  }
}

// @ts-ignore: decorator
@inline
function valueRun(fn: i32, x: usize, y: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, valueOf(fn, v128.load(x)));
    x += 16;
    y += 16;
  }
  storeFirst(y, valueOf(fn, v128.load(x)), n);
}

// x_gradient = fn'(·) y_gradient, from y, but for gelu and log1p from x. args: 2 value, 3 y_gradient, 4 x_gradient, 5 function
export function unaryGrad(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), n = endOf(args, chunk) - first, offset = <usize> first << 2;
  const value = pointer(args, 2) + offset, dy = pointer(args, 3) + offset, dx = pointer(args, 4) + offset;
  const fn = word(args, 5);
  if (fn == NONE) memory.copy(dx, dy, <usize> n << 2);
  else if (fn == RELU) slopeRun(RELU, value, dy, dx, n);
  else if (fn == LEAKY_RELU) slopeRun(LEAKY_RELU, value, dy, dx, n);
  else if (fn == SIGMOID) slopeRun(SIGMOID, value, dy, dx, n);
  else if (fn == TANH) slopeRun(TANH, value, dy, dx, n);
  else if (fn == GELU) slopeRun(GELU, value, dy, dx, n);
  else slopeRun(LOG1P, value, dy, dx, n);
}

// @ts-ignore: decorator
@inline
function slopeRun(fn: i32, value: usize, dy: usize, dx: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(dx, slopeTimes(fn, v128.load(value), v128.load(dy)));
    value += 16;
    dy += 16;
    dx += 16;
  }
  storeFirst(dx, slopeTimes(fn, v128.load(value), v128.load(dy)), n);
}

// y = x * keep/(1-p). args: 2 x, 3 row keys (0: the row number), 4 y, 5 width, 6 threshold (u32), 7 factor, 8 and 9 seed, 10 stream
// Scratch: keys of the rounds | 16 words.
export function dropout(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), keys = pointer(args, 3), words = scratch + PHILOX_KEYS_BYTES;
  const threshold = v128.load32_splat(args, 24), factor = v128.load32_splat(args, 28);
  const stream = v128.load32_splat(args, 40);
  philoxKeys(scratch, <u32> word(args, 8), <u32> word(args, 9));
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const offset = <usize> m * <usize> width << 2;
    let x = pointer(args, 2) + offset, y = pointer(args, 4) + offset;
    const key0 = i32x4.splat(keys == 0 ? m : load<i32>(keys + (<usize> m << 3)));
    const key1 = i32x4.splat(keys == 0 ? 0 : load<i32>(keys + (<usize> m << 3), 4));
    let places = i32x4(0, 1, 2, 3);
    for (let left = width; left > 0; left -= 16) {
      philox4Rows(words, scratch, places, key0, key1, stream);
      places = i32x4.add(places, i32x4.splat(4));
      for (let at: usize = 0; at < 64; at += 16) {
        const kept = i32x4.ge_u(v128.load(words + at), threshold);
        const value = v128.and(f32x4.mul(v128.load(x + at), factor), kept);
        const lanes = left - <i32> (at >> 2);
        if (lanes > 0) storeUpTo(y + at, value, lanes);
      }
      x += 64;
      y += 64;
    }
  }
}
