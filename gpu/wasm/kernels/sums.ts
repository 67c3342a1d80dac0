// Sums over many elements or rows (AssemblyScript), in double precision and in an order that depends on shapes only: each run of
// rows gives a partial sum, and the partial sums are added in ascending order. A row of partial sums of D columns has room for the
// next multiple of 8, so that loops need no tails.
import { endOf, firstOf, highWide, lowWide, pointer, word } from "./simd";

// Sum of n floats.
export function wideSum(x: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; n >= 8; n -= 8) {
    const p = v128.load(x), q = v128.load(x, 16);
    a = f64x2.add(a, lowWide(p));
    b = f64x2.add(b, highWide(p));
    c = f64x2.add(c, lowWide(q));
    d = f64x2.add(d, highWide(q));
    x += 32;
  }
  let total = pairSum(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
  for (; n > 0; n--) {
    total += <f64> load<f32>(x);
    x += 4;
  }
  return total;
}

// Sum of the squares of n floats, the squares in double precision as well.
export function wideSquares(x: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a;
  for (; n >= 4; n -= 4) {
    const p = lowWide(v128.load(x)), q = highWide(v128.load(x));
    a = f64x2.add(a, f64x2.mul(p, p));
    b = f64x2.add(b, f64x2.mul(q, q));
    x += 16;
  }
  let total = pairSum(f64x2.add(a, b));
  for (; n > 0; n--) {
    const value = <f64> load<f32>(x);
    total += value * value;
    x += 4;
  }
  return total;
}

// Σ p q over n floats, the products in single precision.
export function wideDot(p: usize, q: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; n >= 8; n -= 8) {
    const first = f32x4.mul(v128.load(p), v128.load(q));
    const second = f32x4.mul(v128.load(p, 16), v128.load(q, 16));
    a = f64x2.add(a, lowWide(first));
    b = f64x2.add(b, highWide(first));
    c = f64x2.add(c, lowWide(second));
    d = f64x2.add(d, highWide(second));
    p += 32;
    q += 32;
  }
  let total = pairSum(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
  for (; n > 0; n--) {
    total += <f64> load<f32>(p) * <f64> load<f32>(q);
    p += 4;
    q += 4;
  }
  return total;
}

// Σ p q r over n floats, the products in single precision.
export function wideProducts(p: usize, q: usize, r: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a;
  for (; n >= 4; n -= 4) {
    const product = f32x4.mul(f32x4.mul(v128.load(p), v128.load(q)), v128.load(r));
    a = f64x2.add(a, lowWide(product));
    b = f64x2.add(b, highWide(product));
    p += 16;
    q += 16;
    r += 16;
  }
  let total = pairSum(f64x2.add(a, b));
  for (; n > 0; n--) {
    total += <f64> (load<f32>(p) * load<f32>(q) * load<f32>(r));
    p += 4;
    q += 4;
    r += 4;
  }
  return total;
}

// @ts-ignore: decorator
@inline
function pairSum(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

// y += x: four floats into four doubles.
// @ts-ignore: decorator
@inline
export function addWide(x: v128, y: usize): void {
  v128.store(y, f64x2.add(v128.load(y), lowWide(x)));
  v128.store(y, f64x2.add(v128.load(y, 16), highWide(x)), 16);
}

// One partial sum a run of elements: Σ x². args: 2 x, 3 partial sums
export function squares(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), x = pointer(args, 2) + (<usize> first << 2);
  store<f64>(pointer(args, 3) + (<usize> chunk << 3), wideDot(x, x, endOf(args, chunk) - first));
}

const PLAIN: i32 = 0, SQUARE: i32 = 1, PRODUCT: i32 = 2;

// One row of partial sums a run of rows, each row times its weight (0: one): Σ x, Σ (x - center)² or Σ (x - center) by.
// args: 2 x, 3 weight, 4 center, 5 by, 6 width, 7 partial sums, 8 what (0, 1, 2)
export function columnSums(args: usize, chunk: i32, scratch: usize): void {
  const kind = word(args, 8);
  if (kind == PLAIN && word(args, 3) == 0) columnRun(PLAIN, false, args, chunk);
  else if (kind == PLAIN) columnRun(PLAIN, true, args, chunk);
  else if (kind == SQUARE) columnRun(SQUARE, true, args, chunk);
  else columnRun(PRODUCT, true, args, chunk);
}

// @ts-ignore: decorator
@inline
function columnRun(kind: i32, weighted: bool, args: usize, chunk: i32): void {
  const width = word(args, 6), rowBytes = <usize> width << 2, weights = pointer(args, 3);
  const first = firstOf(args, chunk), end = endOf(args, chunk), offset = <usize> first * rowBytes;
  let to = pointer(args, 7) + <usize> chunk * (<usize> ((width + 7) & ~7) << 3);
  for (let column: usize = 0; column < rowBytes; column += 32) {
    let a = f64x2.splat(0), b = a, c = a, d = a;
    let x = pointer(args, 2) + offset + column, by = pointer(args, 5) + offset + column;
    let center0 = f32x4.splat(0), center1 = center0;
    if (kind != PLAIN) {
      center0 = v128.load(pointer(args, 4) + column);
      center1 = v128.load(pointer(args, 4) + column, 16);
    }
    for (let m = first; m < end; m++) {
      let p = v128.load(x), q = v128.load(x, 16);
      if (kind != PLAIN) {
        p = f32x4.sub(p, center0);
        q = f32x4.sub(q, center1);
      }
      if (kind == SQUARE) {
        p = f32x4.mul(p, p);
        q = f32x4.mul(q, q);
      } else if (kind == PRODUCT) {
        p = f32x4.mul(p, v128.load(by));
        q = f32x4.mul(q, v128.load(by, 16));
        by += rowBytes;
      }
      if (weighted && weights != 0) {
        const weight = v128.load32_splat(weights + (<usize> m << 2));
        p = f32x4.mul(p, weight);
        q = f32x4.mul(q, weight);
      }
      a = f64x2.add(a, lowWide(p));
      b = f64x2.add(b, highWide(p));
      c = f64x2.add(c, lowWide(q));
      d = f64x2.add(d, highWide(q));
      x += rowBytes;
    }
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    to += 64;
  }
}

// y[d] = Σ of the partial sums of column d / divisor; y's own value comes first where word 7 is set. Word 0: columns.
// args: 2 partial sums, 3 bytes from run to run, 4 runs, 5 y, 6 divisor, 7 add
export function addPartials(args: usize, chunk: i32, scratch: usize): void {
  const stride = pointer(args, 3), runs = word(args, 4), divisor = <f64> load<f32>(args, 24);
  for (let d = firstOf(args, chunk), end = endOf(args, chunk); d < end; d++) {
    const y = pointer(args, 5) + (<usize> d << 2);
    let from = pointer(args, 2) + (<usize> d << 3);
    let total = word(args, 7) ? <f64> load<f32>(y) : 0;
    for (let run = 0; run < runs; run++) {
      total += load<f64>(from);
      from += stride;
    }
    store<f32>(y, <f32> (total / divisor));
  }
}
