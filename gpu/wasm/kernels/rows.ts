// Kernels that work row by row (AssemblyScript). One chunk is a run of rows: word 0 of every argument block is the number of rows
// and word 1 the rows a chunk.
import { dot, exp2x4, laneMax, laneSum, LOG2E, madd, pointer, real, scale, word } from "./simd";

// @ts-ignore: decorator
@inline
function firstRow(args: usize, chunk: i32): i32 {
  return chunk * word(args, 1);
}

// @ts-ignore: decorator
@inline
function endRow(args: usize, chunk: i32): i32 {
  return min((chunk + 1) * word(args, 1), word(args, 0));
}

// y[t] = base[t] + table[index[t]]; base 0 means none.
// args: 2 table, 3 index, 4 base, 5 y, 6 width, 7 rows of the table
export function gatherRows(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6), bytes = <usize> width << 2, base = pointer(args, 4);
  const last = word(args, 7) - 1;
  for (let t = firstRow(args, chunk), end = endRow(args, chunk); t < end; t++) {
    const row = <usize> min(<u32> last, load<u32>(pointer(args, 3) + (<usize> t << 2)));
    const from = pointer(args, 2) + row * bytes;
    const to = pointer(args, 5) + <usize> t * bytes;
    if (base == 0) memory.copy(to, from, bytes);
    else addInto(to, base + <usize> t * bytes, from, width);
  }
}

// @ts-ignore: decorator
@inline
function addInto(to: usize, a: usize, b: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
    to += 16;
    a += 16;
    b += 16;
  }
  for (; i < n; i++) {
    store<f32>(to, load<f32>(a) + load<f32>(b));
    to += 4;
    a += 4;
    b += 4;
  }
}

// y = (x + residual - mean)/sqrt(variance + eps) * weight + bias; residual 0 means none. Two passes over the row in y.
// args: 2 x, 3 residual, 4 weight, 5 bias, 6 y, 7 width, 8 eps
export function layerNorm(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 7), bytes = <usize> width << 2, residual = pointer(args, 3);
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + <usize> m * bytes, y = pointer(args, 6) + <usize> m * bytes;
    if (residual == 0) memory.copy(y, x, bytes);
    else addInto(y, x, residual + <usize> m * bytes, width);
    const mean = <f32> (wideSum(y, width) / <f64> width);
    shift(-mean, y, width);
    const exact = 1 / Math.sqrt(wideSquares(y, width) / <f64> width + <f64> real(args, 8));
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

// Sum of n floats in double precision.
function wideSum(x: usize, n: i32): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x);
    low = f64x2.add(low, f64x2.promote_low_f32x4(v));
    high = f64x2.add(
      high,
      f64x2.promote_low_f32x4(
        i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
      ),
    );
    x += 16;
  }
  const both = f64x2.add(low, high);
  let total = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; i < n; i++) {
    total += <f64> load<f32>(x);
    x += 4;
  }
  return total;
}

// Sum of the squares of n floats in double precision.
function wideSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(
      i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
    );
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    x += 16;
  }
  const both = f64x2.add(low, high);
  let total = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; i < n; i++) {
    const v = <f64> load<f32>(x);
    total += v * v;
    x += 4;
  }
  return total;
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

// args: 2 a, 3 b, 4 y, 5 width
export function rowDot(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), bytes = <usize> width << 2;
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const value = dot(
      pointer(args, 2) + <usize> m * bytes,
      pointer(args, 3) + <usize> m * bytes,
      width,
    );
    store<f32>(pointer(args, 4) + (<usize> m << 2), value);
  }
}

// args: 2 x, 3 y, 4 width, 5 eps
export function l2Normalize(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 4), bytes = <usize> width << 2;
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + <usize> m * bytes, y = pointer(args, 3) + <usize> m * bytes;
    const norm = max(Mathf.sqrt(dot(x, x, width)), real(args, 5));
    memory.copy(y, x, bytes);
    scale(<f32> 1 / norm, y, width);
  }
}

// args: 2 x, 3 y, 4 width. Scratch: one row padded to 4.
export function softmax(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 4), bytes = <usize> width << 2;
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    memory.copy(scratch, pointer(args, 2) + <usize> m * bytes, bytes);
    for (let j = width; j < ((width + 3) & ~3); j++) {
      store<f32>(scratch + (<usize> j << 2), -Infinity);
    }
    let top4 = v128.load(scratch);
    for (let j = 4; j < width; j += 4) {
      top4 = f32x4.pmax(top4, v128.load(scratch + (<usize> j << 2)));
    }
    const top = f32x4.splat(laneMax(top4)), base2 = f32x4.splat(LOG2E);
    let total = f32x4.splat(0);
    for (let j = 0; j < width; j += 4) {
      const at = scratch + (<usize> j << 2);
      const e = exp2x4(f32x4.mul(f32x4.sub(v128.load(at), top), base2));
      v128.store(at, e);
      total = f32x4.add(total, e);
    }
    scale(<f32> 1 / laneSum(total), scratch, width);
    memory.copy(pointer(args, 3) + <usize> m * bytes, scratch, bytes);
  }
}

// Rows here are cells: y[b] = Σ weight[t] x[t] over the cell's tokens, over their number if word 7 is set. Kahan-compensated.
// args: 2 x, 3 offsets, 4 weight (0: all one), 5 y, 6 width, 7 mean. Scratch: one row of compensations.
export function segmentPool(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6),
    bytes = <usize> width << 2,
    weights = pointer(args, 4),
    offsets = pointer(args, 3);
  for (let b = firstRow(args, chunk), end = endRow(args, chunk); b < end; b++) {
    const y = pointer(args, 5) + <usize> b * bytes;
    const first = word(offsets, b), last = word(offsets, b + 1);
    memory.fill(y, 0, bytes);
    memory.fill(scratch, 0, (bytes + 15) & ~15);
    for (let t = first; t < last; t++) {
      const weight = weights == 0 ? <f32> 1 : load<f32>(weights + (<usize> t << 2));
      addCompensated(y, scratch, pointer(args, 2) + <usize> t * bytes, weight, width);
    }
    if (word(args, 7) && last > first) scale(<f32> 1 / <f32> (last - first), y, width);
  }
}

function addCompensated(y: usize, lost: usize, x: usize, weight: f32, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize> i << 2;
    const term = load<f32>(x + at) * weight - load<f32>(lost + at);
    const before = load<f32>(y + at), after = before + term;
    store<f32>(lost + at, (after - before) - term);
    store<f32>(y + at, after);
  }
}

// args: 2 x, 3 value, 4 index, 5 columns, 6 k
export function topK(args: usize, chunk: i32, scratch: usize): void {
  const columns = word(args, 5), k = word(args, 6);
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + (<usize> m * <usize> columns << 2);
    const value = pointer(args, 3) + (<usize> (m * k) << 2),
      index = pointer(args, 4) + (<usize> (m * k) << 2);
    let held = 0;
    let least: f32 = -Infinity;
    for (let j = 0; j < columns; j++) {
      const candidate = load<f32>(x + (<usize> j << 2));
      if (held == k && !(candidate > least)) continue;
      let at = held < k ? held : k - 1;
      while (at > 0 && load<f32>(value + (<usize> (at - 1) << 2)) < candidate) {
        store<f32>(value + (<usize> at << 2), load<f32>(value + (<usize> (at - 1) << 2)));
        store<u32>(index + (<usize> at << 2), load<u32>(index + (<usize> (at - 1) << 2)));
        at--;
      }
      store<f32>(value + (<usize> at << 2), candidate);
      store<u32>(index + (<usize> at << 2), <u32> j);
      if (held < k) held++;
      least = load<f32>(value + (<usize> (held - 1) << 2));
    }
  }
}

// y = [a | b]. args: 2 a, 3 b, 4 y, 5 width of a, 6 width of b
export function concat(args: usize, chunk: i32, scratch: usize): void {
  const bytesA = <usize> word(args, 5) << 2, bytesB = <usize> word(args, 6) << 2;
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const y = pointer(args, 4) + <usize> m * (bytesA + bytesB);
    memory.copy(y, pointer(args, 2) + <usize> m * bytesA, bytesA);
    memory.copy(y + bytesA, pointer(args, 3) + <usize> m * bytesB, bytesB);
  }
}

// y[b,a] = x[a,b] over rows of `width`; row m of x is (a, b) = (m / B, m % B). args: 2 x, 3 y, 4 A, 5 B, 6 width
export function swapAxes(args: usize, chunk: i32, scratch: usize): void {
  const A = word(args, 4), B = word(args, 5), bytes = <usize> word(args, 6) << 2;
  for (let m = firstRow(args, chunk), end = endRow(args, chunk); m < end; m++) {
    const to = (m % B) * A + m / B;
    memory.copy(pointer(args, 3) + <usize> to * bytes, pointer(args, 2) + <usize> m * bytes, bytes);
  }
}
