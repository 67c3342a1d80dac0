// Norms of rows and columns and their gradients (AssemblyScript). Word 0 is the number of rows, word 1 the rows a chunk.
import { addInto } from "./rows";
import { dot, endOf, exp2x4, firstOf, laneMax, laneSum, LOG2E, madd, pointer, real, scale, storeUpTo, word } from "./simd";
import { addWide, wideDot, wideProducts, wideSquares, wideSum } from "./sums";

// y = (x + residual - mean)/sqrt(variance + eps) * weight + bias; residual 0 means none. Two passes over the row in y.
// args: 2 x, 3 residual, 4 weight, 5 bias, 6 y, 7 width, 8 eps
export function layerNorm(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 7), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const y = pointer(args, 6) + <usize> m * bytes;
    const exact = centre(args, <usize> m * bytes, y, width, real(args, 8));
    const inverse = <f32> exact;
    let w = pointer(args, 4), b = pointer(args, 5), to = y;
    const k = f32x4.splat(inverse), rest = f32x4.splat(<f32> (exact - <f64> inverse));
    let i = 0;
    for (; i + 4 <= width; i += 4) {
      // What rounding takes from the product and from the factor is added again: half a step of error instead of two.
      const d = v128.load(to), gain = v128.load(w);
      const product = f32x4.mul(d, k);
      const lost = madd(d, rest, madd(d, k, f32x4.neg(product)));
      v128.store(to, madd(product, gain, madd(lost, gain, v128.load(b))));
      to += 16;
      w += 16;
      b += 16;
    }
    for (; i < width; i++) {
      store<f32>(to, load<f32>(to) * inverse * load<f32>(w) + load<f32>(b));
      to += 4;
      w += 4;
      b += 4;
    }
  }
}

// A row of x + residual without its mean, to `y`; returns 1/sqrt(variance + eps). args: 2 x, 3 residual (0: none)
// @ts-ignore: decorator
@inline
function centre(args: usize, offset: usize, y: usize, width: i32, eps: f32): f64 {
  const x = pointer(args, 2) + offset, residual = pointer(args, 3);
  if (residual == 0) memory.copy(y, x, <usize> width << 2);
  else addInto(y, x, residual + offset, width);
  shift(-<f32> (wideSum(y, width) / <f64> width), y, width);
  return 1 / Math.sqrt(wideSquares(y, width) / <f64> width + <f64> eps);
}

// @ts-ignore: decorator
@inline
function shift(by: f32, y: usize, n: i32): void {
  const s = f32x4.splat(by);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f32x4.add(v128.load(y), s));
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(y) + by);
    y += 4;
  }
}

// With x̂ the normalised row and g = y_gradient * weight: x_gradient = (g - mean(g) - x̂ mean(g x̂))/sqrt(variance + eps). Each chunk
// gives a row of partial sums of y_gradient x̂, and one of y_gradient, for the gradients of weight and bias.
// args: 2 x, 3 residual, 4 weight, 5 y_gradient, 6 x_gradient, 7 width, 8 eps, 9 partial sums. Scratch: one row padded to 4.
export function layerNormGrad(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 7), bytes = <usize> width << 2, weight = pointer(args, 4);
  const sumBytes = <usize> ((width + 7) & ~7) << 3;
  const ofWeight = pointer(args, 9) + <usize> chunk * 2 * sumBytes, ofBias = ofWeight + sumBytes;
  memory.fill(ofWeight, 0, 2 * sumBytes);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const offset = <usize> m * bytes, dy = pointer(args, 5) + offset, dx = pointer(args, 6) + offset;
    const exact = centre(args, offset, scratch, width, real(args, 8)), inverse = f32x4.splat(<f32> exact);
    const mean = f32x4.splat(<f32> (wideDot(dy, weight, width) / <f64> width));
    const products = wideProducts(dy, weight, scratch, width) / <f64> width;
    const slope = f32x4.splat(-<f32> (products * exact * exact));
    let sums: usize = 0;
    for (let at: usize = 0; at < bytes; at += 16) {
      const centred = v128.load(scratch + at), gradient = v128.load(dy + at);
      const g = f32x4.sub(f32x4.mul(gradient, v128.load(weight + at)), mean);
      storeUpTo(dx + at, f32x4.mul(inverse, madd(slope, centred, g)), width - <i32> (at >> 2));
      addWide(f32x4.mul(f32x4.mul(centred, inverse), gradient), ofWeight + sums);
      addWide(gradient, ofBias + sums);
      sums += 32;
    }
  }
}

// y = (x - mean)/sqrt(variance + eps). args: 2 x, 3 mean, 4 variance, 5 y, 6 width, 7 eps
export function batchNorm(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6), bytes = <usize> width << 2, eps = f32x4.splat(real(args, 7));
  const mean = pointer(args, 3), variance = pointer(args, 4);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + <usize> m * bytes, y = pointer(args, 5) + <usize> m * bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      const root = f32x4.sqrt(f32x4.add(v128.load(variance + at), eps));
      const value = f32x4.div(f32x4.sub(v128.load(x + at), v128.load(mean + at)), root);
      storeUpTo(y + at, value, width - <i32> (at >> 2));
    }
  }
}

// x_gradient = (y_gradient - w (mean of y_gradient + d/(variance + eps) mean of y_gradient d))/sqrt(variance + eps), d = x - mean.
// args: 2 x, 3 mean, 4 variance, 5 y_gradient, 6 row weight (0: one), 7 mean of y_gradient, 8 mean of y_gradient d, 9 x_gradient,
// 10 width, 11 eps
export function batchNormGrad(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 10), bytes = <usize> width << 2, eps = f32x4.splat(real(args, 11));
  const weights = pointer(args, 6);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const offset = <usize> m * bytes;
    const weight = f32x4.splat(weights == 0 ? <f32> 1 : load<f32>(weights + (<usize> m << 2)));
    for (let at: usize = 0; at < bytes; at += 16) {
      const square = f32x4.add(v128.load(pointer(args, 4) + at), eps);
      const d = f32x4.sub(v128.load(pointer(args, 2) + offset + at), v128.load(pointer(args, 3) + at));
      const slope = f32x4.div(f32x4.mul(d, v128.load(pointer(args, 8) + at)), square);
      const moved = f32x4.mul(weight, f32x4.add(v128.load(pointer(args, 7) + at), slope));
      const value = f32x4.div(f32x4.sub(v128.load(pointer(args, 5) + offset + at), moved), f32x4.sqrt(square));
      storeUpTo(pointer(args, 9) + offset + at, value, width - <i32> (at >> 2));
    }
  }
}

// args: 2 x, 3 y, 4 width, 5 eps
export function l2Normalize(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 4), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + <usize> m * bytes, y = pointer(args, 3) + <usize> m * bytes;
    const norm = max(Mathf.sqrt(dot(x, x, width)), real(args, 5));
    memory.copy(y, x, bytes);
    scale(<f32> 1 / norm, y, width);
  }
}

// (y_gradient - x (x·y_gradient)/|x|²)/|x|, and y_gradient / eps for rows shorter than eps.
// args: 2 x, 3 y_gradient, 4 x_gradient, 5 width, 6 eps
export function l2NormalizeGrad(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), bytes = <usize> width << 2, eps = <f64> real(args, 6);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const offset = <usize> m * bytes;
    const x = pointer(args, 2) + offset, dy = pointer(args, 3) + offset, dx = pointer(args, 4) + offset;
    const norm = Math.sqrt(wideSquares(x, width));
    const along = norm > eps ? f32x4.splat(-<f32> (wideDot(x, dy, width) / (norm * norm))) : f32x4.splat(0);
    const inverse = f32x4.splat(<f32> (1 / max(norm, eps)));
    for (let at: usize = 0; at < bytes; at += 16) {
      const value = f32x4.mul(inverse, madd(along, v128.load(x + at), v128.load(dy + at)));
      storeUpTo(dx + at, value, width - <i32> (at >> 2));
    }
  }
}

// args: 2 x, 3 y, 4 width. Scratch: one row padded to 4.
export function softmax(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 4), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    exponentials(pointer(args, 2) + <usize> m * bytes, scratch, width);
    let total = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) total = f32x4.add(total, v128.load(scratch + at));
    scale(<f32> 1 / laneSum(total), scratch, width);
    memory.copy(pointer(args, 3) + <usize> m * bytes, scratch, bytes);
  }
}

// e^(x - max x) of a row to `y`, which is padded to 4 and gets next to nothing behind the row; returns the largest.
export function exponentials(x: usize, y: usize, width: i32): f32 {
  const bytes = <usize> width << 2;
  memory.copy(y, x, bytes);
  for (let j = width; j < ((width + 3) & ~3); j++) store<f32>(y + (<usize> j << 2), -Infinity);
  let top4 = v128.load(y);
  for (let at: usize = 16; at < bytes; at += 16) top4 = f32x4.pmax(top4, v128.load(y + at));
  const top = laneMax(top4), shift = f32x4.splat(top), base2 = f32x4.splat(LOG2E);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(y + at, exp2x4(f32x4.mul(f32x4.sub(v128.load(y + at), shift), base2)));
  }
  return top;
}

// y (y_gradient - y·y_gradient). args: 2 y, 3 y_gradient, 4 x_gradient, 5 width
export function softmaxGrad(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const offset = <usize> m * bytes;
    const y = pointer(args, 2) + offset, dy = pointer(args, 3) + offset, dx = pointer(args, 4) + offset;
    const mean = f32x4.splat(<f32> wideDot(y, dy, width));
    for (let at: usize = 0; at < bytes; at += 16) {
      const value = f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), mean));
      storeUpTo(dx + at, value, width - <i32> (at >> 2));
    }
  }
}
