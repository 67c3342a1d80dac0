// Matrix products (AssemblyScript): y[M,N] = act(init + x[M,K] · w), w packed once into panels of 8 columns.
import { multiplyTile, TILE_ROWS } from "./micro";
import { endOf, firstOf, pointer, word } from "./simd";
import { transposeTile } from "./transpose";

const NR: i32 = 8;

// Packs w into panels [ceil(N/8)][K][8], zero in columns past N. w lies as [N,K], PyTorch's layout, or as [K,N]; its rows are
// `stride` bytes apart. args: 0 panels, 1 panels a chunk, 2 source, 3 stride, 4 K, 5 N, 6 packed, 7 w is [N,K]
export function pack(args: usize, chunk: i32, scratch: usize): void {
  const source = pointer(args, 2), stride = pointer(args, 3), K = word(args, 4), N = word(args, 5);
  const panelBytes = <usize> K * (NR << 2);
  const first = firstOf(args, chunk), end = endOf(args, chunk);
  const packed = pointer(args, 6) + <usize> first * panelBytes;
  const whole = min(end, N / NR) - first; // panels without a hole
  if (whole < end - first) memory.fill(packed + <usize> (end - 1 - first) * panelBytes, 0, panelBytes);
  if (word(args, 7)) {
    for (let p = first; p < end; p++) {
      const columns = min(NR, N - p * NR), to = packed + <usize> (p - first) * panelBytes;
      transposeTile(source + <usize> (p * NR) * stride, stride, columns, K, to, NR << 2);
    }
    return;
  }
  for (let k = 0; k < K; k++) {
    let from = source + <usize> k * stride + <usize> (first * NR << 2);
    let to = packed + <usize> k * (NR << 2);
    for (let p = 0; p < whole; p++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += NR << 2;
      to += panelBytes;
    }
    if (whole < end - first) memory.copy(to, from, <usize> (N % NR) << 2);
  }
}

// args: 0 x, 1 x row stride (bytes), 2 M, 3 K, 4 packed w, 5 N, 6 init, 7 init row stride (0: one row for all, the bias),
// 8 y, 9 y row stride, 10 activation, 11 rows a chunk, 12 panels a chunk, 13 chunks along N
export function gemm(args: usize, chunk: i32, scratch: usize): void {
  const alongN = word(args, 13);
  const m0 = (chunk / alongN) * word(args, 11);
  const p0 = (chunk % alongN) * word(args, 12);
  const m1 = min(m0 + word(args, 11), word(args, 2));
  const p1 = min(p0 + word(args, 12), (word(args, 5) + NR - 1) / NR);
  block(args, m0, m1, p0, p1, scratch);
}

// Rows m0..m1 and panels p0..p1. The panel stays in the first cache level while the rows of the block pass by.
function block(args: usize, m0: i32, m1: i32, p0: i32, p1: i32, scratch: usize): void {
  const lda = pointer(args, 1), ldi = pointer(args, 7), ldc = pointer(args, 9);
  const K = word(args, 3), N = word(args, 5), act = word(args, 10);
  const x = pointer(args, 0), w = pointer(args, 4), init = pointer(args, 6), y = pointer(args, 8);
  for (let p = p0; p < p1; p++) {
    const panel = w + (<usize> (p * NR) * <usize> K << 2);
    const columns = min(NR, N - p * NR);
    const column = <usize> (p * NR) << 2;
    for (let m = m0; m < m1; m += TILE_ROWS) {
      const rows = min(TILE_ROWS, m1 - m);
      const a = x + <usize> m * lda;
      const i = init + <usize> m * ldi + column;
      const c = y + <usize> m * ldc + column;
      if (rows == TILE_ROWS && columns == NR) multiplyTile(K, a, lda, TILE_ROWS, panel, i, ldi, c, ldc, act);
      else edge(K, a, lda, rows, columns, panel, i, ldi, c, ldc, act, scratch);
    }
  }
}

// A tile that hangs over the last row or column: the same arithmetic into a scratch tile, then the valid part is copied.
function edge(
  K: i32,
  a: usize,
  lda: usize,
  rows: i32,
  columns: i32,
  panel: usize,
  init: usize,
  ldi: usize,
  c: usize,
  ldc: usize,
  act: i32,
  scratch: usize,
): void {
  for (let r = 0; r < TILE_ROWS; r++) {
    const from = init + <usize> min(r, rows - 1) * ldi;
    for (let j = 0; j < NR; j++) {
      store<f32>(
        scratch + (<usize> (r * NR + j) << 2),
        j < columns ? load<f32>(from + (<usize> j << 2)) : 0,
      );
    }
  }
  multiplyTile(K, a, lda, rows, panel, scratch, NR << 2, scratch, NR << 2, act);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      store<f32>(
        c + <usize> r * ldc + (<usize> j << 2),
        load<f32>(scratch + (<usize> (r * NR + j) << 2)),
      );
    }
  }
}
