// Blocks of LZ4 (AssemblyScript): https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
// Copies go 16 bytes at a time and up to 15 beyond their end, so that 16 bytes behind input and output must be there.

// For each distance up to 16: places of 16 bytes that repeat the last ones, and how many of them are whole repetitions.
const PLACES: usize = memory.data(272, 16);
const STEPS: usize = memory.data(17, 16);

export function prepareLz4(): void {
  for (let back: usize = 1; back <= 16; back++) {
    for (let i: usize = 0; i < 16; i++) store<u8>(PLACES + (back << 4) + i, <u8> (i % back));
    store<u8>(STEPS + back, <u8> (16 / back * back));
  }
}

// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, end: usize): void {
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

// Writes `to .. end` with what begins `back` before.
// @ts-ignore: decorator
@inline
function repeat(to: usize, end: usize, back: usize): void {
  // Most are short: 16 bytes that are right at any distance, without a branch that could not be foreseen.
  const near = min<usize>(back, 16);
  const pattern = v128.swizzle(v128.load(to - back), v128.load(PLACES + (near << 4)));
  v128.store(to, pattern);
  if (to + 16 >= end) return;
  if (back >= 16) return copy(to + 16, to + 16 - back, end);
  const step: usize = load<u8>(STEPS + back);
  do {
    to += step;
    v128.store(to, pattern);
  } while (to < end);
}

// Fills `to .. toEnd` out of `at .. end`; where the block is damaged, the place before which that was seen, else 0.
export function unpackLz4(at: usize, end: usize, to: usize, toEnd: usize): usize {
  const start = to;
  while (at < end) {
    const token: usize = load<u8>(at++);
    let count = token >> 4;
    for (let more: usize = count == 15 ? 255 : 0; more == 255; count += more) {
      if (at >= end || count > toEnd - start) return at;
      more = load<u8>(at++);
    }
    if (count > end - at || count > toEnd - to) return at;
    if (count > 0) copy(to, at, to + count);
    at += count;
    to += count;
    if (at == end) break;
    if (end - at < 2) return at;
    const back: usize = load<u16>(at);
    at += 2;
    count = token & 15;
    for (let more: usize = count == 15 ? 255 : 0; more == 255; count += more) {
      if (at >= end || count > toEnd - start) return at;
      more = load<u8>(at++);
    }
    count += 4;
    if (back == 0 || back > to - start || count > toEnd - to) return at;
    repeat(to, to + count, back);
    to += count;
  }
  return to == toEnd ? 0 : end;
}
