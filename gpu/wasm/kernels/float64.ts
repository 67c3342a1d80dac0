// Products of some rows of matrices in float64 (AssemblyScript); widths are multiples of four, and nothing is fused, so that both builds
// give the same bits.
import { pointer, word } from "./simd";

// Address of a row of `bytes` bytes whose number is at `rows[i]`.
// @ts-ignore: decorator
@inline
function rowAt(matrix: usize, rows: usize, i: usize, bytes: usize): usize {
  return matrix + <usize> load<u32>(rows + (i << 2)) * bytes;
}

// @ts-ignore: decorator
@inline
function plus(sum: v128, x: v128, y: v128): v128 {
  return f64x2.add(sum, f64x2.mul(x, y));
}

// out[row] = left[row] right for the four rows listed at 4 chunk. Arguments: out, left, right, rows, inner, width.
export function multiplyRows64(args: usize, chunk: i32, scratch: usize): void {
  const rows = pointer(args, 3) + (<usize> chunk << 4);
  const inner = <usize> word(args, 4) << 3, width = <usize> word(args, 5) << 3;
  const left = pointer(args, 1), right = pointer(args, 2), out = pointer(args, 0);
  const la = rowAt(left, rows, 0, inner), lb = rowAt(left, rows, 1, inner);
  const lc = rowAt(left, rows, 2, inner), ld = rowAt(left, rows, 3, inner);
  const oa = rowAt(out, rows, 0, width), ob = rowAt(out, rows, 1, width);
  const oc = rowAt(out, rows, 2, width), od = rowAt(out, rows, 3, width);
  for (let k: usize = 0; k < width; k += 32) {
    let a0 = f64x2.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    let at = right + k;
    for (let j: usize = 0; j < inner; j += 8) {
      const y0 = v128.load(at), y1 = v128.load(at, 16);
      const a = v128.load64_splat(la + j), b = v128.load64_splat(lb + j);
      a0 = plus(a0, a, y0);
      a1 = plus(a1, a, y1);
      b0 = plus(b0, b, y0);
      b1 = plus(b1, b, y1);
      const c = v128.load64_splat(lc + j), d = v128.load64_splat(ld + j);
      c0 = plus(c0, c, y0);
      c1 = plus(c1, c, y1);
      d0 = plus(d0, d, y0);
      d1 = plus(d1, d, y1);
      at += width;
    }
    v128.store(oa + k, a0);
    v128.store(oa + k, a1, 16);
    v128.store(ob + k, b0);
    v128.store(ob + k, b1, 16);
    v128.store(oc + k, c0);
    v128.store(oc + k, c1, 16);
    v128.store(od + k, d0);
    v128.store(od + k, d1, 16);
  }
}

// Adds to a pair of sums.
// @ts-ignore: decorator
@inline
function add(at: usize, x: v128, y: v128): void {
  v128.store(at, f64x2.add(v128.load(at), x));
  v128.store(at, f64x2.add(v128.load(at, 16), y), 16);
}

// sums[4 chunk .. 4 chunk + 3] += the sum over the listed rows of left[row]'s values there times right[row]. Arguments: sums, left, right,
// rows, inner, width, count.
export function addOuterProducts64(args: usize, chunk: i32, scratch: usize): void {
  const rows = pointer(args, 3), count = <usize> word(args, 6);
  const inner = <usize> word(args, 4) << 3, width = <usize> word(args, 5) << 3;
  const left = pointer(args, 1) + (<usize> chunk << 5), right = pointer(args, 2);
  const sums = pointer(args, 0) + (<usize> chunk << 2) * width;
  for (let j: usize = 0; j < width; j += 32) {
    let a0 = f64x2.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let i: usize = 0; i < count; i++) {
      const at = rowAt(left, rows, i, inner), to = rowAt(right, rows, i, width) + j;
      const y0 = v128.load(to), y1 = v128.load(to, 16);
      const a = v128.load64_splat(at), b = v128.load64_splat(at, 8);
      a0 = plus(a0, a, y0);
      a1 = plus(a1, a, y1);
      b0 = plus(b0, b, y0);
      b1 = plus(b1, b, y1);
      const c = v128.load64_splat(at, 16), d = v128.load64_splat(at, 24);
      c0 = plus(c0, c, y0);
      c1 = plus(c1, c, y1);
      d0 = plus(d0, d, y0);
      d1 = plus(d1, d, y1);
    }
    const to = sums + j;
    add(to, a0, a1);
    add(to + width, b0, b1);
    add(to + 2 * width, c0, c1);
    add(to + 3 * width, d0, d1);
  }
}
