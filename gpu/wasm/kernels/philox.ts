// Philox4x32-10 of gpu/random.ts (AssemblyScript), four counters at a time.

// The multipliers, loaded where they are used: V8 builds a constant vector anew at each use.
const MULTIPLIERS: usize = memory.data<u32>([0xd2511f53, 0xcd9e8d57, 0xd2511f53, 0xcd9e8d57]);

export const PHILOX_KEYS_BYTES: usize = 160;

// The keys of the ten rounds, PHILOX_KEYS_BYTES bytes: each round's two words twice.
export function philoxKeys(to: usize, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    v128.store(to, i32x4(k0, k1, k0, k1));
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
    to += 16;
  }
}

// Four counters, one a lane: word w of counter i goes to `to` + 16 w + 4 i. `keys` is what philoxKeys wrote.
// @ts-ignore: decorator
@inline
export function philox4(to: usize, keys: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  const m0 = v128.load32_splat(MULTIPLIERS), m1 = v128.load32_splat(MULTIPLIERS, 4);
  for (let round = 0; round < 10; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0), b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1), d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.shuffle<u32>(c, d, 1, 3, 5, 7), v128.xor(c1, v128.load32_splat(keys)));
    c1 = v128.shuffle<u32>(c, d, 0, 2, 4, 6);
    c2 = v128.xor(v128.shuffle<u32>(a, b, 1, 3, 5, 7), v128.xor(c3, v128.load32_splat(keys, 4)));
    c3 = v128.shuffle<u32>(a, b, 0, 2, 4, 6);
    keys += 16;
  }
  v128.store(to, c0);
  v128.store(to, c1, 16);
  v128.store(to, c2, 32);
  v128.store(to, c3, 48);
}

// The same with each counter's words side by side: word w of counter i goes to `to` + 16 i + 4 w. A vector holds words 0 and 2, or
// 1 and 3, of two counters, so that the results come out in order.
// @ts-ignore: decorator
@inline
export function philox4Rows(to: usize, keys: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  let evenA = v128.shuffle<u32>(c0, c2, 0, 4, 1, 5), evenB = v128.shuffle<u32>(c0, c2, 2, 6, 3, 7);
  let oddA = v128.shuffle<u32>(c1, c3, 0, 4, 1, 5), oddB = v128.shuffle<u32>(c1, c3, 2, 6, 3, 7);
  const m = v128.load(MULTIPLIERS);
  for (let round = 0; round < 10; round++) {
    const key = v128.load(keys);
    const a = i64x2.extmul_low_i32x4_u(evenA, m), b = i64x2.extmul_high_i32x4_u(evenA, m);
    const c = i64x2.extmul_low_i32x4_u(evenB, m), d = i64x2.extmul_high_i32x4_u(evenB, m);
    evenA = v128.xor(v128.shuffle<u32>(a, b, 3, 1, 7, 5), v128.xor(oddA, key));
    oddA = v128.shuffle<u32>(a, b, 2, 0, 6, 4);
    evenB = v128.xor(v128.shuffle<u32>(c, d, 3, 1, 7, 5), v128.xor(oddB, key));
    oddB = v128.shuffle<u32>(c, d, 2, 0, 6, 4);
    keys += 16;
  }
  v128.store(to, v128.shuffle<u32>(evenA, oddA, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<u32>(evenA, oddA, 2, 6, 3, 7), 16);
  v128.store(to, v128.shuffle<u32>(evenB, oddB, 0, 4, 1, 5), 32);
  v128.store(to, v128.shuffle<u32>(evenB, oddB, 2, 6, 3, 7), 48);
}
