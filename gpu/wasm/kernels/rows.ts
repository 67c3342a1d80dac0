// Kernels that work row by row (AssemblyScript). One chunk is a run of rows: word 0 of every argument block is the number of rows
// and word 1 the rows a chunk.
import { dot, endOf, firstOf, highWide, lowWide, narrow, pointer, scale, storeUpTo, word } from "./simd";
import { transposeTile } from "./transpose";

// y[t] = base[t] + table[index[t]]; base 0 means none.
// args: 2 table, 3 index, 4 base, 5 y, 6 width, 7 rows of the table
export function gatherRows(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6), bytes = <usize> width << 2, base = pointer(args, 4);
  const last = word(args, 7) - 1;
  for (let t = firstOf(args, chunk), end = endOf(args, chunk); t < end; t++) {
    const row = <usize> min(<u32> last, load<u32>(pointer(args, 3) + (<usize> t << 2)));
    const from = pointer(args, 2) + row * bytes;
    const to = pointer(args, 5) + <usize> t * bytes;
    if (base == 0) memory.copy(to, from, bytes);
    else addInto(to, base + <usize> t * bytes, from, width);
  }
}

// @ts-ignore: decorator
@inline
export function addInto(to: usize, a: usize, b: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
    to += 16;
    a += 16;
    b += 16;
  }
  for (; i < n; i++) {
    store<f32>(to, load<f32>(a) + load<f32>(b));
    to += 4;
    a += 4;
    b += 4;
  }
}

// args: 2 a, 3 b, 4 y, 5 width
export function rowDot(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const value = dot(
      pointer(args, 2) + <usize> m * bytes,
      pointer(args, 3) + <usize> m * bytes,
      width,
    );
    store<f32>(pointer(args, 4) + (<usize> m << 2), value);
  }
}

// Rows here are cells: y[b] = Σ weight[t] x[t] over the cell's tokens, over their number if word 7 is set. Kahan-compensated.
// args: 2 x, 3 offsets, 4 weight (0: all one), 5 y, 6 width, 7 mean. Scratch: one row of compensations.
export function segmentPool(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6),
    bytes = <usize> width << 2,
    weights = pointer(args, 4),
    offsets = pointer(args, 3);
  for (let b = firstOf(args, chunk), end = endOf(args, chunk); b < end; b++) {
    const y = pointer(args, 5) + <usize> b * bytes;
    const first = word(offsets, b), last = word(offsets, b + 1);
    memory.fill(y, 0, bytes);
    memory.fill(scratch, 0, (bytes + 15) & ~15);
    for (let t = first; t < last; t++) {
      const weight = weights == 0 ? <f32> 1 : load<f32>(weights + (<usize> t << 2));
      addCompensated(y, scratch, pointer(args, 2) + <usize> t * bytes, weight, width);
    }
    if (word(args, 7) && last > first) scale(<f32> 1 / <f32> (last - first), y, width);
  }
}

function addCompensated(y: usize, lost: usize, x: usize, weight: f32, n: i32): void {
  const factor = f32x4.splat(weight);
  for (let left = n; left > 0; left -= 4) {
    const term = f32x4.sub(f32x4.mul(v128.load(x), factor), v128.load(lost));
    const before = v128.load(y), after = f32x4.add(before, term);
    v128.store(lost, f32x4.sub(f32x4.sub(after, before), term));
    storeUpTo(y, after, left);
    x += 16;
    y += 16;
    lost += 16;
  }
}

// y[t] = x[b] for the rows t of cell b, over their number if word 6 is set; rows here are cells.
// args: 2 x, 3 offsets, 4 y, 5 width, 6 mean
export function segmentSpread(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 5), bytes = <usize> width << 2, offsets = pointer(args, 3);
  for (let b = firstOf(args, chunk), end = endOf(args, chunk); b < end; b++) {
    const first = word(offsets, b), last = word(offsets, b + 1);
    if (first == last) continue;
    const source = pointer(args, 4) + <usize> first * bytes;
    memory.copy(source, pointer(args, 2) + <usize> b * bytes, bytes);
    if (word(args, 6)) scale(<f32> 1 / <f32> (last - first), source, width);
    for (let t = first + 1; t < last; t++) memory.copy(pointer(args, 4) + <usize> t * bytes, source, bytes);
  }
}

// args: 2 x, 3 value, 4 index, 5 columns, 6 k
export function topK(args: usize, chunk: i32, scratch: usize): void {
  const columns = word(args, 5), k = word(args, 6);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const x = pointer(args, 2) + (<usize> m * <usize> columns << 2);
    const value = pointer(args, 3) + (<usize> (m * k) << 2),
      index = pointer(args, 4) + (<usize> (m * k) << 2);
    let held = 0;
    let least: f32 = -Infinity;
    for (let j = 0; j < columns; j++) {
      const candidate = load<f32>(x + (<usize> j << 2));
      if (held == k && !(candidate > least)) continue;
      let at = held < k ? held : k - 1;
      while (at > 0 && load<f32>(value + (<usize> (at - 1) << 2)) < candidate) {
        store<f32>(value + (<usize> at << 2), load<f32>(value + (<usize> (at - 1) << 2)));
        store<u32>(index + (<usize> at << 2), load<u32>(index + (<usize> (at - 1) << 2)));
        at--;
      }
      store<f32>(value + (<usize> at << 2), candidate);
      store<u32>(index + (<usize> at << 2), <u32> j);
      if (held < k) held++;
      least = load<f32>(value + (<usize> (held - 1) << 2));
    }
  }
}

// y = [a | b]. args: 2 a, 3 b, 4 y, 5 width of a, 6 width of b
export function concat(args: usize, chunk: i32, scratch: usize): void {
  const bytesA = <usize> word(args, 5) << 2, bytesB = <usize> word(args, 6) << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const y = pointer(args, 4) + <usize> m * (bytesA + bytesB);
    memory.copy(y, pointer(args, 2) + <usize> m * bytesA, bytesA);
    memory.copy(y + bytesA, pointer(args, 3) + <usize> m * bytesB, bytesB);
  }
}

// Columns of x. args: 2 x, 3 first column, 4 y, 5 width of x, 6 width of y
export function sliceColumns(args: usize, chunk: i32, scratch: usize): void {
  const from = <usize> word(args, 5) << 2, bytes = <usize> word(args, 6) << 2;
  const x = pointer(args, 2) + (<usize> word(args, 3) << 2);
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    memory.copy(pointer(args, 4) + <usize> m * bytes, x + <usize> m * from, bytes);
  }
}

// y[b,a] = x[a,b] over rows of `width`; row m of x is (a, b) = (m / B, m % B). args: 2 x, 3 y, 4 A, 5 B, 6 width
export function swapAxes(args: usize, chunk: i32, scratch: usize): void {
  const A = word(args, 4), B = word(args, 5), bytes = <usize> word(args, 6) << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const to = (m % B) * A + m / B;
    memory.copy(pointer(args, 3) + <usize> to * bytes, pointer(args, 2) + <usize> m * bytes, bytes);
  }
}

// y[b,a] = x[a,b] over single floats. args: 0 A, 1 rows of x a chunk, 2 x, 3 y, 4 B
export function transpose(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), rows = endOf(args, chunk) - first;
  const rowBytes = pointer(args, 4) << 2;
  const x = pointer(args, 2) + <usize> first * rowBytes, y = pointer(args, 3) + (<usize> first << 2);
  transposeTile(x, rowBytes, rows, word(args, 4), y, pointer(args, 0) << 2);
}

// Zeros. args: 2 y
export function zero(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), n = endOf(args, chunk) - first;
  memory.fill(pointer(args, 2) + (<usize> first << 2), 0, <usize> n << 2);
}

// Rows of the table that tokens have: table[row] = Σ values[order[i]] over i = first .. last, in double precision. Word 0: such rows.
// args: 2 values, 3 three words for each row: row, first, last, 4 order, 5 table, 6 width
export function scatterRows(args: usize, chunk: i32, scratch: usize): void {
  const width = word(args, 6), bytes = <usize> width << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const entry = pointer(args, 3) + <usize> m * 12, last = word(entry, 2);
    const to = pointer(args, 5) + pointer(entry, 0) * bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      let low = f64x2.splat(0), high = low;
      for (let i = word(entry, 1); i < last; i++) {
        const value = v128.load(pointer(args, 2) + pointer(pointer(args, 4), i) * bytes + at);
        low = f64x2.add(low, lowWide(value));
        high = f64x2.add(high, highWide(value));
      }
      storeUpTo(to + at, narrow(low, high), width - <i32> (at >> 2));
    }
  }
}
