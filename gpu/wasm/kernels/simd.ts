// Small SIMD building blocks (AssemblyScript). The relaxed build fuses multiply and add; the plain build rounds twice.

// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// Word `index` of an argument block.
// @ts-ignore: decorator
@inline
export function word(args: usize, index: i32): i32 {
  return load<i32>(args + (<usize> index << 2));
}

// @ts-ignore: decorator
@inline
export function pointer(args: usize, index: i32): usize {
  return <usize> load<u32>(args + (<usize> index << 2));
}

// @ts-ignore: decorator
@inline
export function real(args: usize, index: i32): f32 {
  return load<f32>(args + (<usize> index << 2));
}

// Sum of the four lanes, as a tree.
// @ts-ignore: decorator
@inline
export function laneSum(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2)) +
    (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3));
}

// @ts-ignore: decorator
@inline
export function laneMax(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

// Constants of exp2x4, loaded as broadcasts: V8 builds a constant vector anew at each use with three instructions.
const EXP2: usize = memory.data<f32>([
  -126.0,
  12582912.0,
  1.0,
  6.931472028550421e-1,
  2.402264791363012e-1,
  5.550332471162809e-2,
  9.618437357674640e-3,
  1.339887440266574e-3,
  1.535336188319500e-4,
]);

// 2^x for x <= 127; below -126 it stays at 2^-126, which no sum beside 1 feels. Relative error below 1e-7: degree 6 on
// [-1/2, 1/2]. Adding 1.5·2^23 rounds x to an integer in the low bits, which are then added to the exponent of the polynomial.
// @ts-ignore: decorator
@inline
export function exp2x4(x: v128): v128 {
  const magic = v128.load32_splat(EXP2, 4);
  const clamped = f32x4.pmax(x, v128.load32_splat(EXP2, 0));
  const shifted = f32x4.add(clamped, magic);
  const f = f32x4.sub(clamped, f32x4.sub(shifted, magic));
  let p = madd(f, v128.load32_splat(EXP2, 32), v128.load32_splat(EXP2, 28));
  p = madd(p, f, v128.load32_splat(EXP2, 24));
  p = madd(p, f, v128.load32_splat(EXP2, 20));
  p = madd(p, f, v128.load32_splat(EXP2, 16));
  p = madd(p, f, v128.load32_splat(EXP2, 12));
  p = madd(p, f, v128.load32_splat(EXP2, 8));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

export const LOG2E: f32 = 1.4426950408889634;

// Dot product of n floats; four partial sums of four lanes, added as a tree.
export function dot(a: usize, b: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = madd(v128.load(a), v128.load(b), s0);
    s1 = madd(v128.load(a, 16), v128.load(b, 16), s1);
    s2 = madd(v128.load(a, 32), v128.load(b, 32), s2);
    s3 = madd(v128.load(a, 48), v128.load(b, 48), s3);
    a += 64;
    b += 64;
  }
  for (; i + 4 <= n; i += 4) {
    s0 = madd(v128.load(a), v128.load(b), s0);
    a += 16;
    b += 16;
  }
  let total = laneSum(f32x4.add(f32x4.add(s0, s2), f32x4.add(s1, s3)));
  for (; i < n; i++) {
    total += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return total;
}

// y += alpha * x over n floats.
export function axpy(alpha: f32, x: usize, y: usize, n: i32): void {
  const a = f32x4.splat(alpha);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, madd(a, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(y) + alpha * load<f32>(x));
    x += 4;
    y += 4;
  }
}

// y *= alpha over n floats.
export function scale(alpha: f32, y: usize, n: i32): void {
  const a = f32x4.splat(alpha);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f32x4.mul(a, v128.load(y)));
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(y) * alpha);
    y += 4;
  }
}

// First row, or element, of a chunk: word 0 is the number of rows, word 1 the rows a chunk.
// @ts-ignore: decorator
@inline
export function firstOf(args: usize, chunk: i32): i32 {
  return chunk * word(args, 1);
}

// Row behind the last of a chunk.
// @ts-ignore: decorator
@inline
export function endOf(args: usize, chunk: i32): i32 {
  return min((chunk + 1) * word(args, 1), word(args, 0));
}

// The first n lanes, n < 4.
export function storeFirst(to: usize, x: v128, n: i32): void {
  if (n & 2) {
    store<i64>(to, i64x2.extract_lane(x, 0));
    if (n & 1) store<i32>(to, i32x4.extract_lane(x, 2), 8);
  } else if (n & 1) store<i32>(to, i32x4.extract_lane(x, 0));
}

// All four lanes, or the first n where that is less.
// @ts-ignore: decorator
@inline
export function storeUpTo(to: usize, x: v128, n: i32): void {
  if (n >= 4) v128.store(to, x);
  else storeFirst(to, x, n);
}

// Lanes 0 and 1 as doubles.
// @ts-ignore: decorator
@inline
export function lowWide(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// Lanes 2 and 3 as doubles.
// @ts-ignore: decorator
@inline
export function highWide(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
}

// Two pairs of doubles as four floats.
// @ts-ignore: decorator
@inline
export function narrow(low: v128, high: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}
