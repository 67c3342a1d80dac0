// Blockwise softmax attention over packed cells (AssemblyScript): nothing of size N x N is stored.
import { drops, dropRow, DROPOUT_BYTES, keepsWeight, keptFactor, startDropout } from "./attention_dropout";
import { loadQueries, packKeys, packValues } from "./attention_pack";
import { multiplyTile, TILE_ROWS } from "./micro";
import { axpy, dot, exp2x4, laneMax, laneSum, LOG2E, pointer, scale, word } from "./simd";

// The host sizes scratch memory by these two, which it reads from the module.
export const ROWS: i32 = 25; // queries a block: 5 tiles of the micro-kernel
export const KEYS: i32 = 256; // keys a block: scores of a block (25 KB) stay in the first cache level

// args: 0 qkv, 1 token stride (bytes), 2 context, 3 context stride, 4 lse, 5 heads, 6 head width, 7 table of chunks,
// 8 queries a chunk, 9 .. 14 dropout. A chunk is five words: first token of the cell, tokens, known tokens, head, first query.
// Scratch: dropout | packed keys | packed values | queries | scores | output | running max | running sum.
export function attention(args: usize, chunk: i32, scratch: usize): void {
  const entry = pointer(args, 7) + <usize> chunk * 20;
  const start = word(entry, 0), tokens = word(entry, 1), known = word(entry, 2);
  const head = word(entry, 3), firstQuery = word(entry, 4);
  const width = word(args, 6), stride = pointer(args, 1);
  const modelBytes = <usize> (word(args, 5) * width) << 2;
  const q = pointer(args, 0) + <usize> start * stride + (<usize> (head * width) << 2);
  const k = q + modelBytes, v = k + modelBytes;
  const keys = (known + 7) & ~7;
  const packedK = scratch + DROPOUT_BYTES, packedV = packedK + (<usize> (keys * width) << 2);
  const work = packedV + (<usize> (keys * ((width + 7) & ~7)) << 2);
  startDropout(args, scratch);
  packKeys(k, stride, known, width, packedK);
  packValues(v, stride, known, width, packedV);
  const last = min(firstQuery + word(args, 8), tokens);
  for (let query = firstQuery; query < last; query += ROWS) {
    const rows = min(ROWS, last - query);
    blockOfQueries(args, start, head, query, rows, known, q, packedK, packedV, work, scratch);
  }
}

function blockOfQueries(
  args: usize,
  start: i32,
  head: i32,
  query: i32,
  rows: i32,
  known: i32,
  q: usize,
  packedK: usize,
  packedV: usize,
  work: usize,
  dropout: usize,
): void {
  const width = word(args, 6), stride = pointer(args, 1), heads = word(args, 5);
  const padded = (width + 7) & ~7; // columns of the output tile
  const queries = work;
  const scores = queries + (<usize> (ROWS * width) << 2);
  const output = scores + (<usize> (ROWS * KEYS) << 2);
  const maxima = output + (<usize> (ROWS * padded) << 2);
  const sums = maxima + (ROWS << 2);
  const zeros = sums + (ROWS << 2);
  v128.store(zeros, f32x4.splat(0));
  v128.store(zeros, f32x4.splat(0), 16);
  loadQueries(q + <usize> query * stride, stride, rows, width, queries);
  memory.fill(output, 0, <usize> (ROWS * padded) << 2);
  for (let r = 0; r < ROWS; r++) {
    store<f32>(maxima + (<usize> r << 2), -Infinity);
    store<f32>(sums + (<usize> r << 2), 0);
  }
  for (let key = 0; key < known; key += KEYS) {
    const valid = min(KEYS, known - key);
    const columns = (valid + 7) & ~7;
    for (let p = 0; p < columns; p += 8) {
      const panel = packedK + (<usize> ((key + p) * width) << 2);
      for (let r = 0; r < rows; r += TILE_ROWS) {
        multiplyTile(
          width,
          queries + (<usize> (r * width) << 2),
          <usize> width << 2,
          min(TILE_ROWS, rows - r),
          panel,
          zeros,
          0,
          scores + (<usize> (r * KEYS + p) << 2),
          KEYS << 2,
          0,
        );
      }
    }
    for (let r = 0; r < rows; r++) {
      softmaxRow(
        scores + (<usize> (r * KEYS) << 2),
        valid,
        columns,
        r,
        maxima,
        sums,
        output,
        padded,
      );
    }
    if (drops(args)) {
      for (let r = 0; r < rows; r++) {
        const row = scores + (<usize> (r * KEYS) << 2);
        dropRow(args, start + query + r, head, key, columns, row, dropout);
      }
    }
    const keys = (known + 7) & ~7;
    for (let p = 0; p < padded; p += 8) {
      const panel = packedV + (<usize> (p * keys + key * 8) << 2);
      for (let r = 0; r < rows; r += TILE_ROWS) {
        const tile = output + (<usize> (r * padded + p) << 2);
        multiplyTile(
          columns,
          scores + (<usize> (r * KEYS) << 2),
          KEYS << 2,
          min(TILE_ROWS, rows - r),
          panel,
          tile,
          <usize> padded << 2,
          tile,
          <usize> padded << 2,
          0,
        );
      }
    }
  }
  for (let r = 0; r < rows; r++) {
    const token = start + query + r;
    const out = output + (<usize> (r * padded) << 2);
    if (query + r >= known) {
      const kept = !drops(args) || keepsWeight(args, token, head, query + r, dropout);
      addOwnKey(
        kept,
        q + <usize> (query + r) * stride,
        queries + (<usize> (r * width) << 2),
        heads * width,
        width,
        r,
        maxima,
        sums,
        out,
      );
    }
    const total = load<f32>(sums + (<usize> r << 2));
    scale(keptFactor(args) / total, out, width);
    memory.copy(
      pointer(args, 2) + <usize> token * pointer(args, 3) + (<usize> (head * width) << 2),
      out,
      <usize> width << 2,
    );
    const lse = <f64> load<f32>(maxima + (<usize> r << 2)) + Math.log(<f64> total);
    store<f32>(pointer(args, 4) + (<usize> (token * heads + head) << 2), <f32> lse);
  }
}

// One row of a block of scores: P = e^(S - max) in place, running maximum and sum, and the output so far rescaled. The difference
// is taken before the change of base, so that large scores cost no precision.
// @ts-ignore: decorator
@inline
function softmaxRow(
  row: usize,
  valid: i32,
  columns: i32,
  r: i32,
  maxima: usize,
  sums: usize,
  output: usize,
  padded: i32,
): void {
  for (let j = valid; j < columns; j++) store<f32>(row + (<usize> j << 2), -Infinity);
  let topA = f32x4.splat(-Infinity), topB = topA, topC = topA, topD = topA;
  let at = row;
  const end = row + (<usize>columns << 2);
  for (; at + 64 <= end; at += 64) {
    topA = f32x4.pmax(topA, v128.load(at));
    topB = f32x4.pmax(topB, v128.load(at, 16));
    topC = f32x4.pmax(topC, v128.load(at, 32));
    topD = f32x4.pmax(topD, v128.load(at, 48));
  }
  if (at < end) {
    topA = f32x4.pmax(topA, v128.load(at));
    topB = f32x4.pmax(topB, v128.load(at, 16));
  }
  const before = load<f32>(maxima + (<usize>r << 2));
  const top = max(before, laneMax(f32x4.pmax(f32x4.pmax(topA, topB), f32x4.pmax(topC, topD))));
  const shift = f32x4.splat(top), base2 = f32x4.splat(LOG2E);
  let sumA = f32x4.splat(0), sumB = f32x4.splat(0);
  for (let j = 0; j < columns; j += 8) {
    const at = row + (<usize> j << 2);
    const a = exp2x4(f32x4.mul(f32x4.sub(v128.load(at), shift), base2));
    const b = exp2x4(f32x4.mul(f32x4.sub(v128.load(at, 16), shift), base2));
    v128.store(at, a);
    v128.store(at, b, 16);
    sumA = f32x4.add(sumA, a);
    sumB = f32x4.add(sumB, b);
  }
  const total = laneSum(f32x4.add(sumA, sumB));
  if (top > before) {
    const keep = f32x4.extract_lane(exp2x4(f32x4.splat((before - top) * LOG2E)), 0);
    scale(keep, output + (<usize> (r * padded) << 2), padded);
    store<f32>(sums + (<usize> r << 2), load<f32>(sums + (<usize> r << 2)) * keep + total);
    store<f32>(maxima + (<usize> r << 2), top);
  } else {
    store<f32>(sums + (<usize> r << 2), load<f32>(sums + (<usize> r << 2)) + total);
  }
}

// The own key of a token that others do not see. `token` is its q row; k and v follow at one and two model widths.
function addOwnKey(
  kept: bool,
  token: usize,
  query: usize,
  model: i32,
  width: i32,
  r: i32,
  maxima: usize,
  sums: usize,
  output: usize,
): void {
  const k = token + (<usize> model << 2), v = k + (<usize> model << 2);
  const score = dot(query, k, width);
  const before = load<f32>(maxima + (<usize> r << 2));
  const top = max(before, score);
  const keep = f32x4.extract_lane(exp2x4(f32x4.splat((before - top) * LOG2E)), 0);
  const own = f32x4.extract_lane(exp2x4(f32x4.splat((score - top) * LOG2E)), 0);
  scale(keep, output, width);
  if (kept) axpy(own, v, output, width);
  store<f32>(sums + (<usize> r << 2), load<f32>(sums + (<usize> r << 2)) * keep + own);
  store<f32>(maxima + (<usize> r << 2), top);
}
