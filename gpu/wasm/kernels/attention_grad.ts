// Gradient of blockwise attention (AssemblyScript): per cell and head five products, nothing of size N x N. Scores are computed again,
// transposed, into panels [queries/8][keys][8]: these are the left operand of Pᵀ·dO and dSᵀ·Q as they are (`multiplySteppedTile`), and
// the packed right operand of dQᵀ = Kᵀ·dSᵀ.
import { drawPanel, drops, keepsWeight, keptFactor, startDropout } from "./attention_dropout";
import { packKeys, packValues } from "./attention_pack";
import { multiplySteppedTile, multiplyTile, TILE_ROWS } from "./micro";
import { axpy, dot, exp2x4, LOG2E, pointer, scale, word } from "./simd";

// The host sizes scratch memory by these two: multiples of 8 and, for the keys, of the tile's rows as well.
export const ROWS: i32 = 64; // queries a block
export const KEYS: i32 = 40; // keys a block

// What the steps share; lies at the start of the scratch memory.
@unmanaged
class Work {
  // The chunk: one head of one cell.
  args: usize;
  start: i32; // first token of the cell
  tokens: i32;
  known: i32;
  head: i32;
  width: i32;
  padded: i32; // width as a multiple of 8
  factor: f32; // 1/√width
  // Of the known tokens: rows of keys and values, the keys as panels [keys/8][width][8], rows [keys][padded] of gradients.
  keyRows: usize;
  valueRows: usize;
  keyPanels: usize;
  keyGradient: usize;
  valueGradient: usize;
  // Of a block of queries: q/√width and the context's gradient dO times what a kept weight counts.
  first: i32; // first query
  rows: i32;
  rowBuffer: usize; // [ROWS][width]
  queryPanels: usize; // [rows/8][width][8]
  outPanels: usize;
  queryColumns: usize; // [width/8][rows][8]
  outColumns: usize;
  queryGradient: usize; // panels [rows/8][width + 4][8], not yet times 1/√width
  lse: usize;
  delta: usize; // rowsum(dO ∘ O)
  // Of a block of queries and a block of keys: panels [rows/8][KEYS][8].
  weights: usize; // P, dropped ones 0
  scoreGradients: usize; // dS
  zeros: usize;
  dropout: usize;
}

// args: 0 qkv, 1 token stride (bytes), 2 context, 3 context stride, 4 lse, 5 heads, 6 head width, 7 table of chunks,
// 8 gradient of context, 9 .. 14 dropout, 15 gradient of qkv. A chunk is four words: first token of the cell, tokens, known tokens, head.
export function attentionGrad(args: usize, chunk: i32, scratch: usize): void {
  const work = changetype<Work>(scratch);
  layOut(work, args, chunk);
  startDropout(args, work.dropout);
  loadKeys(work);
  for (let first = 0; first < work.tokens; first += ROWS) {
    loadQueries(work, first);
    for (let key = 0; key < work.known; key += KEYS) {
      const keys = min(KEYS, work.known - key);
      for (let r = 0; r < work.rows; r += 8) scorePanel(work, r, key, keys);
      addKeyGradients(work, key, keys);
      addQueryGradients(work, key, keys);
    }
    storeQueries(work);
  }
  storeKeys(work);
}

function layOut(work: Work, args: usize, chunk: i32): void {
  const entry = pointer(args, 7) + <usize> chunk * 16;
  const width = word(args, 6), padded = (width + 7) & ~7;
  const known = word(entry, 2);
  work.args = args;
  work.start = word(entry, 0);
  work.tokens = word(entry, 1);
  work.known = known;
  work.head = word(entry, 3);
  work.width = width;
  work.padded = padded;
  work.factor = <f32> 1 / Mathf.sqrt(<f32> width);
  const keys = (known + 7) & ~7;
  const hanging = TILE_ROWS - 1; // rows that a last tile writes past the end
  let at = (changetype<usize>(work) + offsetof<Work>() + 63) & ~63;
  at = (work.keyRows = at) + (<usize> (keys * width) << 2);
  at = (work.valueRows = at) + (<usize> (keys * width) << 2);
  at = (work.keyPanels = at) + (<usize> (keys * width) << 2);
  at = (work.keyGradient = at) + (<usize> ((keys + hanging) * padded) << 2);
  at = (work.valueGradient = at) + (<usize> ((keys + hanging) * padded) << 2);
  at = (work.rowBuffer = at) + (<usize> (ROWS * width) << 2);
  at = (work.queryPanels = at) + (<usize> (ROWS * width) << 2);
  at = (work.outPanels = at) + (<usize> (ROWS * width) << 2);
  at = (work.queryColumns = at) + (<usize> (ROWS * padded) << 2);
  at = (work.outColumns = at) + (<usize> (ROWS * padded) << 2);
  at = (work.queryGradient = at) + (<usize> (ROWS * (width + hanging)) << 2);
  at = (work.lse = at) + (ROWS << 2);
  at = (work.delta = at) + (ROWS << 2);
  at = (work.weights = at) + (<usize> (ROWS * KEYS) << 2);
  at = (work.scoreGradients = at) + (<usize> (ROWS * KEYS) << 2);
  at = (work.zeros = at) + 32;
  work.dropout = at;
  memory.fill(work.zeros, 0, 32);
}

// Row `token` of the cell: in qkv (query; key and value follow at one and two model widths), or in a tensor of the context's shape.
// @ts-ignore: decorator
@inline
function tokenRow(work: Work, tensor: i32, stride: usize, token: i32): usize {
  return pointer(work.args, tensor) + <usize> (work.start + token) * stride +
    (<usize> (work.head * work.width) << 2);
}

// @ts-ignore: decorator
@inline
function modelBytes(work: Work): usize {
  return <usize> (word(work.args, 5) * work.width) << 2;
}

function loadKeys(work: Work): void {
  const stride = pointer(work.args, 1), model = modelBytes(work), width = work.width;
  const k = tokenRow(work, 0, stride, 0) + model, v = k + model;
  copyRows(k, stride, work.known, width, work.keyRows);
  copyRows(v, stride, work.known, width, work.valueRows);
  packKeys(k, stride, work.known, width, work.keyPanels);
  memory.fill(work.keyGradient, 0, work.rowBuffer - work.keyGradient); // and the values' gradient behind it
}

function copyRows(from: usize, stride: usize, rows: i32, width: i32, to: usize): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(to + (<usize> (r * width) << 2), from + <usize> r * stride, <usize> width << 2);
  }
}

function loadQueries(work: Work, first: i32): void {
  const args = work.args, width = work.width, heads = word(args, 5);
  const rows = min(ROWS, work.tokens - first), row = <usize> width << 2;
  work.first = first;
  work.rows = rows;
  memory.fill(work.queryGradient, 0, <usize> (ROWS * (width + TILE_ROWS - 1)) << 2);
  const qStride = pointer(args, 1), stride = pointer(args, 3), buffer = work.rowBuffer;
  copyRows(tokenRow(work, 0, qStride, first), qStride, rows, width, buffer);
  scale(work.factor, buffer, rows * width);
  packKeys(buffer, row, rows, width, work.queryPanels);
  packValues(buffer, row, rows, width, work.queryColumns);
  copyRows(tokenRow(work, 8, stride, first), stride, rows, width, buffer);
  for (let r = 0; r < rows; r++) {
    const at = <usize> r << 2;
    const out = tokenRow(work, 2, stride, first + r);
    store<f32>(work.delta + at, dot(buffer + <usize> r * row, out, width));
    const token = work.start + first + r;
    store<f32>(work.lse + at, load<f32>(pointer(args, 4) + (<usize> (token * heads + work.head) << 2)));
  }
  scale(keptFactor(args), buffer, rows * width);
  packKeys(buffer, row, rows, width, work.outPanels);
  packValues(buffer, row, rows, width, work.outColumns);
}

// P and dS of 8 queries, r the first, and the keys of a block: P = e^(S - lse), dS = P ∘ (dP - delta).
function scorePanel(work: Work, r: i32, key: i32, keys: i32): void {
  const width = work.width, row = <usize> width << 2;
  const panel = <usize> (r * width) << 2, zeros = work.zeros;
  const weights = work.weights + (<usize> (r * KEYS) << 2);
  const gradients = work.scoreGradients + (<usize> (r * KEYS) << 2);
  for (let j = 0; j < keys; j += TILE_ROWS) {
    const at = <usize> j << 5, from = <usize> (key + j) * row, valid = min(TILE_ROWS, keys - j);
    multiplyTile(width, work.keyRows + from, row, valid, work.queryPanels + panel, zeros, 0, weights + at, 32, 0);
  }
  for (let j = 0; j < keys; j += TILE_ROWS) {
    const at = <usize> j << 5, from = <usize> (key + j) * row, valid = min(TILE_ROWS, keys - j);
    multiplyTile(width, work.valueRows + from, row, valid, work.outPanels + panel, zeros, 0, gradients + at, 32, 0);
  }
  if (drops(work.args)) dropPanel(work, r, key, keys, weights, gradients);
  else weighPanel(work, r, keys, weights, gradients);
}

// Constants of weightOf, loaded as broadcasts: log2(e), 2^-90.
const WEIGHT: usize = memory.data<f32>([1.4426950408889634, 8.077935669463161e-28]);

// e^(score - lse). 2^-90, which no sum feels, is taken off as tiny weights would make subnormal products, and those are slow.
// @ts-ignore: decorator
@inline
function weightOf(score: usize, lse: v128): v128 {
  const power = f32x4.mul(f32x4.sub(v128.load(score), lse), v128.load32_splat(WEIGHT));
  return f32x4.sub(exp2x4(power), v128.load32_splat(WEIGHT, 4));
}

function weighPanel(work: Work, r: i32, keys: i32, weights: usize, gradients: usize): void {
  const at = <usize> r << 2;
  const lseA = v128.load(work.lse + at), lseB = v128.load(work.lse + at, 16);
  const deltaA = v128.load(work.delta + at), deltaB = v128.load(work.delta + at, 16);
  const end = weights + (<usize> keys << 5);
  while (weights < end) {
    const a = weightOf(weights, lseA), b = weightOf(weights + 16, lseB);
    v128.store(weights, a);
    v128.store(weights, b, 16);
    v128.store(gradients, f32x4.mul(a, f32x4.sub(v128.load(gradients), deltaA)));
    v128.store(gradients, f32x4.mul(b, f32x4.sub(v128.load(gradients, 16), deltaB)), 16);
    weights += 32;
    gradients += 32;
  }
}

// The same with dropout, which takes dropped weights out of both P and dP.
function dropPanel(work: Work, r: i32, key: i32, keys: i32, weights: usize, gradients: usize): void {
  const threshold = i32x4.splat(word(work.args, 10) << 16);
  const token = work.start + work.first + r;
  for (let j = 0; j < keys; j += 8) {
    const draws = drawPanel(work.args, token, work.head, key + j, work.dropout);
    for (let part: usize = 0; part < 2; part++) {
      const at = (<usize> r << 2) + 16 * part;
      const lse = v128.load(work.lse + at), delta = v128.load(work.delta + at);
      let p = weights + (<usize> j << 5) + 16 * part, d = gradients + (<usize> j << 5) + 16 * part;
      for (let word: usize = 0; word < 64; word += 16) {
        const pair = v128.load(draws + 64 * part + word);
        dropOne(p, d, lse, delta, i32x4.ge_u(i32x4.shl(pair, 16), threshold));
        dropOne(p + 32, d + 32, lse, delta, i32x4.ge_u(pair, threshold));
        p += 64;
        d += 64;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function dropOne(p: usize, d: usize, lse: v128, delta: v128, kept: v128): void {
  const weight = weightOf(p, lse);
  v128.store(p, v128.and(weight, kept));
  v128.store(d, f32x4.mul(weight, f32x4.sub(v128.and(v128.load(d), kept), delta)));
}

// dV += Pᵀ · dO and dK += dSᵀ · Q/√width.
function addKeyGradients(work: Work, key: i32, keys: i32): void {
  const rows = (work.rows + 7) & ~7;
  for (let column = 0; column < work.padded; column += 8) {
    const panel = <usize> (column * rows) << 2;
    addRows(work, work.weights, keys, work.outColumns + panel, work.valueGradient, key, column);
    addRows(work, work.scoreGradients, keys, work.queryColumns + panel, work.keyGradient, key, column);
  }
}

function addRows(work: Work, left: usize, keys: i32, panel: usize, sums: usize, key: i32, column: i32): void {
  const stride = <usize> work.padded << 2, step = KEYS << 5;
  let c = sums + <usize> key * stride + (<usize> column << 2);
  for (let j = 0; j < keys; j += TILE_ROWS) {
    multiplySteppedTile(work.rows, left + (<usize> j << 5), 32, step, min(TILE_ROWS, keys - j), panel, c, stride, c, stride);
    c += TILE_ROWS * stride;
  }
}

// dQᵀ += Kᵀ · dSᵀ
function addQueryGradients(work: Work, key: i32, keys: i32): void {
  const width = work.width;
  const left = work.keyPanels + (<usize> (key * width) << 2);
  for (let r = 0; r < work.rows; r += 8) {
    const panel = work.scoreGradients + (<usize> (r * KEYS) << 2);
    let c = work.queryGradient + (<usize> (r * (width + TILE_ROWS - 1)) << 2);
    for (let e = 0; e < width; e += TILE_ROWS) {
      multiplySteppedTile(keys, left + (<usize> e << 5), 32, <usize> width << 5, min(TILE_ROWS, width - e), panel, c, 32, c, 32);
      c += TILE_ROWS << 5;
    }
  }
}

// Writes the queries' gradients; a query that others do not see as a key is its own key too.
function storeQueries(work: Work): void {
  const stride = pointer(work.args, 1), width = work.width;
  for (let r = 0; r < work.rows; r++) {
    const token = work.first + r;
    const to = tokenRow(work, 15, stride, token);
    const from = work.queryGradient + (<usize> ((r >> 3) * (width + TILE_ROWS - 1) * 8 + (r & 7)) << 2);
    for (let e = 0; e < width; e++) {
      store<f32>(to + (<usize> e << 2), load<f32>(from + (<usize> e << 5)));
    }
    if (token >= work.known) addOwnKey(work, r, to);
    scale(work.factor, to, width);
  }
}

// `to` is the gradient of the query, not yet times 1/√width.
function addOwnKey(work: Work, r: i32, to: usize): void {
  const args = work.args, width = work.width, model = modelBytes(work), token = work.first + r;
  const q = tokenRow(work, 0, pointer(args, 1), token), k = q + model, v = k + model;
  const out = tokenRow(work, 8, pointer(args, 3), token);
  const at = <usize> r << 2;
  const score = dot(q, k, width) * work.factor;
  const weight = f32x4.extract_lane(
    exp2x4(f32x4.splat((score - load<f32>(work.lse + at)) * LOG2E)),
    0,
  );
  const kept = !drops(args) || keepsWeight(args, work.start + token, work.head, token, work.dropout);
  const factor = kept ? keptFactor(args) : 0;
  const slope = weight * (factor * dot(out, v, width) - load<f32>(work.delta + at));
  axpy(slope, k, to, width);
  memory.fill(to + model, 0, <usize> width << 2);
  memory.fill(to + 2 * model, 0, <usize> width << 2);
  axpy(slope * work.factor, q, to + model, width);
  axpy(weight * factor, out, to + 2 * model, width);
}

// Writes the known tokens' gradients of key and value.
function storeKeys(work: Work): void {
  const stride = pointer(work.args, 1), model = modelBytes(work), bytes = <usize> work.width << 2;
  for (let t = 0; t < work.known; t++) {
    const to = tokenRow(work, 15, stride, t) + model, from = <usize> (t * work.padded) << 2;
    memory.copy(to, work.keyGradient + from, bytes);
    memory.copy(to + model, work.valueGradient + from, bytes);
  }
}
