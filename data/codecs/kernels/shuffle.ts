// Shuffled bytes (AssemblyScript): plane k, which lies `stride` behind the one before, has byte k of each element. 16 elements at a
// time; the bytes of the rest one by one.

export function unshuffle(from: usize, stride: usize, size: usize, to: usize, count: usize): void {
  let done: usize = 0;
  if (size == 2) done = pairs(from, stride, to, count);
  else if (size == 4) done = fours(from, stride, to, count);
  else if (size == 8) done = eights(from, stride, to, count);
  for (let plane: usize = 0; plane < size; plane++, from += stride) {
    for (let i = done, at = to + done * size + plane; i < count; i++, at += size) {
      store<u8>(at, load<u8>(from + i));
    }
  }
}

// @ts-ignore: decorator
@inline
function low8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function high8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-ignore: decorator
@inline
function low16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

function pairs(from: usize, stride: usize, to: usize, count: usize): usize {
  const whole = count & ~15;
  for (let i: usize = 0; i < whole; i += 16, to += 32) {
    const a = v128.load(from + i), b = v128.load(from + stride + i);
    v128.store(to, low8(a, b));
    v128.store(to, high8(a, b), 16);
  }
  return whole;
}

function fours(from: usize, stride: usize, to: usize, count: usize): usize {
  const whole = count & ~15;
  for (const end = from + whole; from < end; from += 16, to += 64) {
    const a = v128.load(from), b = v128.load(from + stride);
    const c = v128.load(from + 2 * stride), d = v128.load(from + 3 * stride);
    const ab = low8(a, b), cd = low8(c, d), ab2 = high8(a, b), cd2 = high8(c, d);
    v128.store(to, low16(ab, cd));
    v128.store(to, high16(ab, cd), 16);
    v128.store(to, low16(ab2, cd2), 32);
    v128.store(to, high16(ab2, cd2), 48);
  }
  return whole;
}

// 8 bytes of 4 elements each: the lower halves in `a`, the upper ones in `b`.
// @ts-ignore: decorator
@inline
function storeHalves(to: usize, a: v128, b: v128): void {
  v128.store(to, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
}

function eights(from: usize, stride: usize, to: usize, count: usize): usize {
  const whole = count & ~15;
  const upper = 4 * stride;
  for (const end = from + whole; from < end; from += 16, to += 128) {
    const a = v128.load(from), b = v128.load(from + stride);
    const c = v128.load(from + 2 * stride), d = v128.load(from + 3 * stride);
    const e = v128.load(from + upper), f = v128.load(from + upper + stride);
    const g = v128.load(from + upper + 2 * stride), h = v128.load(from + upper + 3 * stride);
    const ab = low8(a, b), cd = low8(c, d), ef = low8(e, f), gh = low8(g, h);
    storeHalves(to, low16(ab, cd), low16(ef, gh));
    storeHalves(to + 32, high16(ab, cd), high16(ef, gh));
    const ab2 = high8(a, b), cd2 = high8(c, d), ef2 = high8(e, f), gh2 = high8(g, h);
    storeHalves(to + 64, low16(ab2, cd2), low16(ef2, gh2));
    storeHalves(to + 96, high16(ab2, cd2), high16(ef2, gh2));
  }
  return whole;
}
