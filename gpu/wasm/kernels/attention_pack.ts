// Packing of queries, keys and values for the micro-kernel (AssemblyScript).
import { scale } from "./simd";
import { transposeTile } from "./transpose";

// Queries times 1/√width: exact where the width is a power of 4.
export function loadQueries(q: usize, stride: usize, rows: i32, width: i32, queries: usize): void {
  const factor = <f32> 1 / Mathf.sqrt(<f32> width);
  for (let r = 0; r < rows; r++) {
    const to = queries + (<usize> (r * width) << 2);
    memory.copy(to, q + <usize> r * stride, <usize> width << 2);
    scale(factor, to, width);
  }
}

// Keys as panels [keys/8][width][8], zero past the last.
export function packKeys(k: usize, stride: usize, keys: i32, width: i32, packed: usize): void {
  const panelBytes = <usize> width << 5;
  for (let first = 0; first < keys; first += 8) {
    if (keys - first < 8) memory.fill(packed, 0, panelBytes);
    transposeTile(k, stride, min(8, keys - first), width, packed, 32);
    k += 8 * stride;
    packed += panelBytes;
  }
}

// Values as panels [width/8][keys padded to 8][8], zero past the last key and the last column.
export function packValues(v: usize, stride: usize, keys: i32, width: i32, packed: usize): void {
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
