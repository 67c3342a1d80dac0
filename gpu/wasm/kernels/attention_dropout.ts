// Dropout of attention weights (AssemblyScript); which are kept is the law of `attention` in gpu/ops.ts. Words of the arguments:
// 9 row keys (0: no dropout), 10 threshold of 16 bits, 11 factor of what is kept, 12 and 13 seed, 14 stream.
import { philox4, philox4Rows, philoxKeys, PHILOX_KEYS_BYTES } from "./philox";
import { pointer, real, word } from "./simd";

// Scratch: round keys | words of 8 counters.
export const DROPOUT_BYTES: usize = PHILOX_KEYS_BYTES + 128;

// @ts-ignore: decorator
@inline
export function drops(args: usize): bool {
  return word(args, 9) != 0;
}

// What a kept weight counts.
// @ts-ignore: decorator
@inline
export function keptFactor(args: usize): f32 {
  return drops(args) ? real(args, 11) : 1;
}

export function startDropout(args: usize, scratch: usize): void {
  if (drops(args)) philoxKeys(scratch, word(args, 12), word(args, 13));
}

// Zeroes the dropped ones of a row of weights: token's keys at places first .. first + columns of the cell, a multiple of 8. Draws
// 32 at a time, and so may touch up to 24 weights past the last.
export function dropRow(
  args: usize,
  token: i32,
  head: i32,
  first: i32,
  columns: i32,
  row: usize,
  scratch: usize,
): void {
  const rowKey = pointer(args, 9) + (<usize> token << 3), words = scratch + PHILOX_KEYS_BYTES;
  const key0 = v128.load32_splat(rowKey), key1 = v128.load32_splat(rowKey, 4);
  const stream = i32x4.splat(word(args, 14)), threshold = i16x8.splat(<i16> word(args, 10));
  let counter = i32x4.add(i32x4.splat(head << 24 | first >> 3), i32x4(0, 1, 2, 3));
  for (let j = 0; j < columns; j += 32) {
    philox4Rows(words, scratch, counter, key0, key1, stream);
    for (let part: usize = 0; part < 64; part += 16) {
      const kept = i16x8.ge_u(v128.load(words + part), threshold);
      const at = row + (<usize> j << 2) + 2 * part;
      v128.store(at, v128.and(v128.load(at), i32x4.extend_low_i16x8_s(kept)));
      v128.store(at, v128.and(v128.load(at, 16), i32x4.extend_high_i16x8_s(kept)), 16);
    }
    counter = i32x4.add(counter, i32x4.splat(4));
  }
}

// Draws for 8 queries, `token` the first, and the 8 keys from place j on: word w of query r lies at 64 * (r / 4) + 16 w + 4 (r % 4)
// of the returned address, and holds the draws of keys j + 2w (low half) and j + 2w + 1.
// @ts-ignore: decorator
@inline
export function drawPanel(args: usize, token: i32, head: i32, j: i32, scratch: usize): usize {
  const rowKeys = pointer(args, 9) + (<usize> token << 3), words = scratch + PHILOX_KEYS_BYTES;
  const counter = i32x4.splat(head << 24 | j >> 3), stream = i32x4.splat(word(args, 14));
  const a = v128.load(rowKeys), b = v128.load(rowKeys, 16);
  philox4(
    words,
    scratch,
    counter,
    v128.shuffle<u32>(a, b, 0, 2, 4, 6),
    v128.shuffle<u32>(a, b, 1, 3, 5, 7),
    stream,
  );
  const c = v128.load(rowKeys, 32), d = v128.load(rowKeys, 48);
  philox4(
    words + 64,
    scratch,
    counter,
    v128.shuffle<u32>(c, d, 0, 2, 4, 6),
    v128.shuffle<u32>(c, d, 1, 3, 5, 7),
    stream,
  );
  return words;
}

// Whether one weight is kept.
export function keepsWeight(args: usize, token: i32, head: i32, j: i32, scratch: usize): bool {
  const words = drawPanel(args, token, head, j, scratch);
  return <i32> load<u16>(words + (<usize> ((j & 7) >> 1) << 4) + (<usize> (j & 1) << 1)) >=
    word(args, 10);
}
