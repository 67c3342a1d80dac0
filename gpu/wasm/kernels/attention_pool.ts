// Softmax-weighted means of a cell's rows (AssemblyScript).
import { axpy, dot, exp2x4, laneSum, LOG2E, pointer, real, scale, word } from "./simd";

// One softmax-weighted mean of a cell's rows for each head: y[h,b] = Σ softmax(scale · query[h,b]·x[t]) x[t]. One chunk a cell.
// args: 0 query, 1 x, 2 offsets, 3 y, 4 heads, 5 cells, 6 width, 7 scale. Scratch: scores of one head.
export function attentionPool(args: usize, chunk: i32, scratch: usize): void {
  const offsets = pointer(args, 2);
  const start = word(offsets, chunk), tokens = word(offsets, chunk + 1) - start;
  const heads = word(args, 4), cells = word(args, 5), width = word(args, 6);
  const rowBytes = <usize> width << 2;
  const x = pointer(args, 1) + <usize> start * rowBytes;
  const factor = real(args, 7);
  for (let head = 0; head < heads; head++) {
    const row = <usize> (head * cells + chunk) * rowBytes;
    const query = pointer(args, 0) + row, y = pointer(args, 3) + row;
    memory.fill(y, 0, rowBytes);
    const total = poolWeights(query, x, tokens, width, factor, scratch);
    for (let t = 0; t < tokens; t++) {
      axpy(load<f32>(scratch + (<usize> t << 2)), x + <usize> t * rowBytes, y, width);
    }
    if (tokens > 0) scale(<f32> 1 / total, y, width);
  }
}

// e^(score - top) of a cell's rows, at `weights`; returns their sum.
function poolWeights(query: usize, x: usize, tokens: i32, width: i32, factor: f32, weights: usize): f32 {
  let top: f32 = -Infinity;
  for (let t = 0; t < tokens; t++) {
    const score = dot(query, x + (<usize> t * <usize> width << 2), width) * factor;
    store<f32>(weights + (<usize> t << 2), score);
    top = max(top, score);
  }
  for (let t = tokens; t & 3; t++) store<f32>(weights + (<usize> t << 2), -Infinity);
  const shift = f32x4.splat(top), base2 = f32x4.splat(LOG2E);
  let total = f32x4.splat(0);
  for (let t = 0; t < tokens; t += 4) {
    const at = weights + (<usize> t << 2);
    const weight = exp2x4(f32x4.mul(f32x4.sub(v128.load(at), shift), base2));
    v128.store(at, weight);
    total = f32x4.add(total, weight);
  }
  return laneSum(total);
}

// Gradients of attentionPool. With weights p and dp[t] = dy·x[t], the score's gradient is ds[t] = p[t] (dp[t] - dy·y).
// args: 0 query, 1 x, 2 offsets, 3 y, 4 heads, 5 cells, 6 width, 7 scale, 8 gradient of y, 9 of query, 10 of x. One chunk a cell.
export function attentionPoolGrad(args: usize, chunk: i32, scratch: usize): void {
  const offsets = pointer(args, 2);
  const start = word(offsets, chunk), tokens = word(offsets, chunk + 1) - start;
  const heads = word(args, 4), cells = word(args, 5), width = word(args, 6);
  const rowBytes = <usize> width << 2, first = <usize> start * rowBytes;
  const x = pointer(args, 1) + first, xGradient = pointer(args, 10) + first;
  const factor = real(args, 7);
  memory.fill(xGradient, 0, <usize> tokens * rowBytes);
  for (let head = 0; head < heads; head++) {
    const row = <usize> (head * cells + chunk) * rowBytes;
    const query = pointer(args, 0) + row, dy = pointer(args, 8) + row;
    const queryGradient = pointer(args, 9) + row;
    memory.fill(queryGradient, 0, rowBytes);
    const total = poolWeights(query, x, tokens, width, factor, scratch);
    const delta = dot(dy, pointer(args, 3) + row, width);
    for (let t = 0; t < tokens; t++) {
      const at = <usize> t * rowBytes;
      const weight = load<f32>(scratch + (<usize> t << 2)) / total;
      const slope = factor * weight * (dot(dy, x + at, width) - delta);
      axpy(slope, x + at, queryGradient, width);
      axpy(slope, query, xGradient + at, width);
      axpy(weight, dy, xGradient + at, width);
    }
  }
}
