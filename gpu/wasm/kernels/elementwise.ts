// Kernels over single elements (AssemblyScript), row by row: word 0 is the number of rows, word 1 the rows a chunk.
import { pointer, real, word } from "./simd";

const SELF: i32 = 0, ROW: i32 = 1;

// y = a ∘ b. args: 2 a, 3 b, 4 y, 5 width, 6 function (0 add, 1 sub, 2 mul), 7 b is (0 like a, 1 one row, 2 one column)
export function binary(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), fn = word(args, 6), kind = word(args, 7);
  const end = min((chunk + 1) * word(args, 1), word(args, 0));
  for (let m = chunk * word(args, 1); m < end; m++) {
    const offset = <usize> m * <usize> width << 2;
    let a = pointer(args, 2) + offset, y = pointer(args, 4) + offset;
    let b = pointer(args, 3) + (kind == SELF ? offset : kind == ROW ? 0 : <usize> m << 2);
    const step: usize = kind == SELF || kind == ROW ? 4 : 0;
    for (let i = 0; i < width; i++) {
      const p = load<f32>(a), q = load<f32>(b);
      store<f32>(y, fn == 0 ? p + q : fn == 1 ? p - q : p * q);
      a += 4;
      b += step;
      y += 4;
    }
  }
}

// y = fn(x). args: 2 x, 3 y, 4 width, 5 function (0 none, 1 relu, 2 leaky relu, 3 sigmoid, 4 tanh, 5 gelu, 6 log1p)
export function unary(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 4), fn = word(args, 5);
  const end = min((chunk + 1) * word(args, 1), word(args, 0));
  for (let m = chunk * word(args, 1); m < end; m++) {
    const offset = <usize> m * <usize> width << 2;
    const x = pointer(args, 2) + offset, y = pointer(args, 3) + offset;
    for (let i = 0; i < width; i++) {
      store<f32>(y + (<usize> i << 2), apply(fn, load<f32>(x + (<usize> i << 2))));
    }
  }
}

function apply(fn: i32, x: f32): f32 {
  if (fn == 1) return max(x, 0);
  if (fn == 2) return x > 0 ? x : x * <f32> 0.01;
  const wide = <f64> x;
  if (fn == 3) return <f32> (1 / (1 + Math.exp(-wide)));
  if (fn == 4) return <f32> Math.tanh(wide);
  if (fn == 5) return <f32> (0.5 * wide * (1 + erf(wide * 0.7071067811865476)));
  if (fn == 6) return <f32> Math.log1p(wide);
  return x;
}

// erf by its Maclaurin series below 2.5 and the continued fraction of erfc above: 1e-12 everywhere.
function erf(x: f64): f64 {
  const z = Math.abs(x);
  if (z > 6) return x > 0 ? 1 : -1;
  if (z < 2.5) {
    let term = z, total = z;
    for (let n = 1; n < 60; n++) {
      term *= -z * z / <f64> n;
      total += term / <f64> (2 * n + 1);
    }
    total *= 1.1283791670955126;
    return x > 0 ? total : -total;
  }
  let fraction: f64 = 0;
  for (let n = 60; n > 0; n--) fraction = <f64> n / 2 / (z + fraction);
  const erfc = Math.exp(-z * z) / (1.7724538509055159 * (z + fraction));
  return x > 0 ? 1 - erfc : erfc - 1;
}

// y = x * keep/(1-p). args: 2 x, 3 row keys (0: the row number), 4 y, 5 width, 6 threshold (u32), 7 factor, 8 and 9 seed, 10 stream
export function dropout(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), keys = pointer(args, 3);
  const threshold = <u32> word(args, 6), factor = real(args, 7);
  const end = min((chunk + 1) * word(args, 1), word(args, 0));
  for (let m = chunk * word(args, 1); m < end; m++) {
    const offset = <usize> m * <usize> width << 2;
    const key0 = keys == 0 ? <u32> m : load<u32>(keys + (<usize> m << 3));
    const key1 = keys == 0 ? <u32> 0 : load<u32>(keys + (<usize> m << 3), 4);
    for (let i = 0; i < width; i += 4) {
      philox(
        scratch,
        <u32> (i >> 2),
        key0,
        key1,
        <u32> word(args, 10),
        <u32> word(args, 8),
        <u32> word(args, 9),
      );
      for (let j = 0; j < 4 && i + j < width; j++) {
        const at = offset + (<usize> (i + j) << 2);
        const keep = load<u32>(scratch + (<usize> j << 2)) >= threshold;
        store<f32>(pointer(args, 4) + at, keep ? load<f32>(pointer(args, 2) + at) * factor : 0);
      }
    }
  }
}

// Philox4x32-10: four words of counter and two of key give four words at `to`.
function philox(to: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const p0 = <u64> 0xd2511f53 * <u64> c0, p1 = <u64> 0xcd9e8d57 * <u64> c2;
    c0 = <u32> (p1 >> 32) ^ c1 ^ k0;
    c1 = <u32> p1;
    c2 = <u32> (p0 >> 32) ^ c3 ^ k1;
    c3 = <u32> p0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  store<u32>(to, c0);
  store<u32>(to, c1, 4);
  store<u32>(to, c2, 8);
  store<u32>(to, c3, 12);
}
