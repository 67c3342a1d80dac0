// Matrix products (AssemblyScript): y[M,N] = act(init + x[M,K] · w), w packed once into panels of 8 columns.
import { micro6x8 } from "./micro";
import { pointer, word } from "./simd";

const MR: i32 = 6;
const NR: i32 = 8;

// Packs w into panels [ceil(N/8)][K][8], zero in columns past N. Element (k, n) of w lies at source + n*columnStride + k*rowStride
// bytes, so both PyTorch's [N,K] and plain [K,N] are packed by the same loop. One chunk is one panel.
// args: 0 source, 1 rowStride, 2 columnStride, 3 K, 4 N, 5 packed
export function pack(args: usize, chunk: i32, scratch: usize): void {
  const rowStride = pointer(args, 1), columnStride = pointer(args, 2);
  const K = word(args, 3), N = word(args, 4);
  const first = chunk * NR;
  const source = pointer(args, 0) + <usize> first * columnStride;
  const packed = pointer(args, 5) + (<usize> first * <usize> K << 2);
  const columns = min(NR, N - first);
  for (let j = 0; j < NR; j++) {
    let to = packed + (<usize> j << 2);
    let from = source + <usize> j * columnStride;
    for (let k = 0; k < K; k++) {
      store<f32>(to, j < columns ? load<f32>(from) : 0);
      to += NR << 2;
      from += rowStride;
    }
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
    for (let m = m0; m < m1; m += MR) {
      const rows = min(MR, m1 - m);
      const a = x + <usize> m * lda;
      const i = init + <usize> m * ldi + column;
      const c = y + <usize> m * ldc + column;
      if (rows == MR && columns == NR) micro6x8(K, a, lda, MR, panel, i, ldi, c, ldc, act);
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
  for (let r = 0; r < MR; r++) {
    const from = init + <usize> min(r, rows - 1) * ldi;
    for (let j = 0; j < NR; j++) {
      store<f32>(
        scratch + (<usize> (r * NR + j) << 2),
        j < columns ? load<f32>(from + (<usize> j << 2)) : 0,
      );
    }
  }
  micro6x8(K, a, lda, rows, panel, scratch, NR << 2, scratch, NR << 2, act);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      store<f32>(
        c + <usize> r * ldc + (<usize> j << 2),
        load<f32>(scratch + (<usize> (r * NR + j) << 2)),
      );
    }
  }
}
