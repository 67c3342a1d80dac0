// Transposition (AssemblyScript).

// to[j,i] = from[i,j] for a tile of rows x columns floats, rows of `from` and `to` at the given distances in bytes. With up to 16
// rows, whole cache lines are written.
export function transposeTile(from: usize, fromStride: usize, rows: i32, columns: i32, to: usize, toStride: usize): void {
  const fullRows = rows & ~3, fullColumns = columns & ~3;
  for (let j = 0; j < fullColumns; j += 4) {
    let source = from + (<usize> j << 2), target = to + <usize> j * toStride;
    for (let i = 0; i < fullRows; i += 4) {
      const a = v128.load(source), b = v128.load(source + fromStride);
      const c = v128.load(source + 2 * fromStride), d = v128.load(source + 3 * fromStride);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(target + toStride, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
      v128.store(target + 2 * toStride, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
      v128.store(target + 3 * toStride, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
      source += 4 * fromStride;
      target += 16;
    }
  }
  transposeOne(from, fromStride, fullRows, rows, 0, columns, to, toStride);
  transposeOne(from, fromStride, 0, fullRows, fullColumns, columns, to, toStride);
}

function transposeOne(
  from: usize,
  fromStride: usize,
  firstRow: i32,
  rows: i32,
  firstColumn: i32,
  columns: i32,
  to: usize,
  toStride: usize,
): void {
  for (let i = firstRow; i < rows; i++) {
    for (let j = firstColumn; j < columns; j++) {
      const value = load<f32>(from + <usize> i * fromStride + (<usize> j << 2));
      store<f32>(to + <usize> j * toStride + (<usize> i << 2), value);
    }
  }
}
