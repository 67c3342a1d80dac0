// Blockwise softmax attention over packed cells (AssemblyScript): nothing of size N x N is stored.
import { micro6x8 } from "./micro";
import { axpy, dot, exp2x4, laneMax, laneSum, LOG2E, pointer, real, scale, word } from "./simd";

// The host sizes scratch memory by these two, which it reads from the module.
export const ROWS: i32 = 24; // queries a block: 4 row groups of the micro-kernel
export const KEYS: i32 = 256; // keys a block: scores of a block (24 KB) stay in the first cache level

// args: 0 qkv, 1 token stride (bytes), 2 context, 3 context stride, 4 lse, 5 heads, 6 head width, 7 table of chunks
// A chunk is five words: first token of the cell, tokens, known tokens, head, first query; it covers `word 8` queries.
// Scratch: packed keys | packed values | queries | scores | output | running max | running sum.
export function attention(args: usize, chunk: i32, scratch: usize): void {
  const entry = pointer(args, 7) + <usize> chunk * 20;
  const start = word(entry, 0), tokens = word(entry, 1), known = word(entry, 2);
  const head = word(entry, 3), firstQuery = word(entry, 4);
  const width = word(args, 6), stride = pointer(args, 1);
  const modelBytes = <usize> (word(args, 5) * width) << 2;
  const q = pointer(args, 0) + <usize> start * stride + (<usize> (head * width) << 2);
  const k = q + modelBytes, v = k + modelBytes;
  const keys = (known + 7) & ~7;
  const packedK = scratch, packedV = packedK + (<usize> (keys * width) << 2);
  const work = packedV + (<usize> (keys * ((width + 7) & ~7)) << 2);
  packKeys(k, stride, known, width, packedK);
  packValues(v, stride, known, width, packedV);
  const last = min(firstQuery + word(args, 8), tokens);
  for (let query = firstQuery; query < last; query += ROWS) {
    const rows = min(ROWS, last - query);
    blockOfQueries(args, start, head, query, rows, known, q, packedK, packedV, work);
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
      for (let r = 0; r < rows; r += 6) {
        micro6x8(
          width,
          queries + (<usize> (r * width) << 2),
          <usize> width << 2,
          min(6, rows - r),
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
    const keys = (known + 7) & ~7;
    for (let p = 0; p < padded; p += 8) {
      const panel = packedV + (<usize> (p * keys + key * 8) << 2);
      for (let r = 0; r < rows; r += 6) {
        const tile = output + (<usize> (r * padded + p) << 2);
        micro6x8(
          columns,
          scores + (<usize> (r * KEYS) << 2),
          KEYS << 2,
          min(6, rows - r),
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
      addOwnKey(
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
    scale(<f32> 1 / total, out, width);
    memory.copy(
      pointer(args, 2) + <usize> token * pointer(args, 3) + (<usize> (head * width) << 2),
      out,
      <usize> width << 2,
    );
    const lse = <f64> load<f32>(maxima + (<usize> r << 2)) + Math.log(<f64> total);
    store<f32>(pointer(args, 4) + (<usize> (token * heads + head) << 2), <f32> lse);
  }
}

// Queries times 1/√width: exact where the width is a power of 4.
function loadQueries(q: usize, stride: usize, rows: i32, width: i32, queries: usize): void {
  const factor = <f32> 1 / Mathf.sqrt(<f32> width);
  for (let r = 0; r < rows; r++) {
    const to = queries + (<usize> (r * width) << 2);
    memory.copy(to, q + <usize> r * stride, <usize> width << 2);
    scale(factor, to, width);
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
  axpy(own, v, output, width);
  store<f32>(sums + (<usize> r << 2), load<f32>(sums + (<usize> r << 2)) * keep + own);
  store<f32>(maxima + (<usize> r << 2), top);
}

// Keys as panels [keys/8][width][8], zero past the last.
function packKeys(k: usize, stride: usize, keys: i32, width: i32, packed: usize): void {
  for (let first = 0; first < keys; first += 8) {
    const panel = packed + (<usize> (first * width) << 2);
    const from = k + <usize> first * stride;
    if (keys - first >= 8 && (width & 3) == 0) {
      transpose4(from, stride, width, panel);
      transpose4(from + 4 * stride, stride, width, panel + 16);
    } else {
      for (let j = 0; j < 8; j++) {
        for (let e = 0; e < width; e++) {
          const value = first + j < keys
            ? load<f32>(from + <usize> j * stride + (<usize> e << 2))
            : 0;
          store<f32>(panel + (<usize> (e * 8 + j) << 2), value);
        }
      }
    }
  }
}

// Four rows of `width` floats become four columns of a panel that is 8 columns wide.
function transpose4(from: usize, stride: usize, width: i32, to: usize): void {
  for (let e = 0; e < width; e += 4) {
    const at = from + (<usize> e << 2);
    const a = v128.load(at), b = v128.load(at + stride);
    const c = v128.load(at + 2 * stride), d = v128.load(at + 3 * stride);
    const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
    v128.store(to, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 32);
    v128.store(to, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 64);
    v128.store(to, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 96);
    to += 128;
  }
}

// Values as panels [width/8][keys padded to 8][8], zero past the last key and the last column.
function packValues(v: usize, stride: usize, keys: i32, width: i32, packed: usize): void {
  let to = packed;
  const padded = (keys + 7) & ~7;
  for (let first = 0; first < width; first += 8) {
    const full = width - first >= 8;
    for (let key = 0; key < padded; key++) {
      const from = v + <usize> key * stride + (<usize> first << 2);
      if (full && key < keys) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      } else {
        for (let j = 0; j < 8; j++) {
          store<f32>(
            to + (<usize> j << 2),
            key < keys && first + j < width ? load<f32>(from + (<usize> j << 2)) : 0,
          );
        }
      }
      to += 32;
    }
  }
}

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
    let top: f32 = -Infinity;
    for (let t = 0; t < tokens; t++) {
      const score = dot(query, x + <usize> t * rowBytes, width) * factor;
      store<f32>(scratch + (<usize> t << 2), score);
      top = max(top, score);
    }
    const total = weightsOf(scratch, tokens, top);
    for (let t = 0; t < tokens; t++) {
      axpy(load<f32>(scratch + (<usize> t << 2)), x + <usize> t * rowBytes, y, width);
    }
    if (tokens > 0) scale(<f32> 1 / total, y, width);
  }
}

// scores -> e^(score - top) in place; returns their sum.
function weightsOf(scores: usize, n: i32, top: f32): f32 {
  const shift = f32x4.splat(top), base2 = f32x4.splat(LOG2E);
  for (let j = n; j < ((n + 3) & ~3); j++) store<f32>(scores + (<usize> j << 2), -Infinity);
  let total = f32x4.splat(0);
  for (let j = 0; j < n; j += 4) {
    const at = scores + (<usize> j << 2);
    const weight = exp2x4(f32x4.mul(f32x4.sub(v128.load(at), shift), base2));
    v128.store(at, weight);
    total = f32x4.add(total, weight);
  }
  return laneSum(total);
}
