/** Differences of integers, which wrap around as the integers do. */
import { ByteReader, corrupt, type Place } from "../bytes.ts";
import type { Datatype } from "../datatype.ts";

const SMALL = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

/** Elements of 1, 2 or 4 bytes in place; the bytes must start on a multiple of their size. */
function small(bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array {
  const Elements = SMALL[size as 1 | 2 | 4];
  return new Elements(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
}

/** A copy of some bytes at the start of a buffer of their own. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Adds to each element the sum of those before it and `start`, modulo 2^(8 size), in place. */
function addUp(bytes: Uint8Array, size: number, start: Uint8Array | undefined): void {
  if (size === 8) return addUp64(bytes, start);
  const values = small(bytes, size);
  let sum = start === undefined ? 0 : small(own(start), size)[0]!;
  for (let i = 0; i < values.length; i++) {
    sum = sum + values[i]! | 0;
    values[i] = sum;
  }
}

function addUp64(bytes: Uint8Array, start: Uint8Array | undefined): void {
  const words = small(bytes, 4);
  const first = start === undefined ? undefined : small(own(start), 4);
  let low = first?.[0] ?? 0;
  let high = first?.[1] ?? 0;
  for (let i = 0; i < words.length; i += 2) {
    const sum = low + words[i]!;
    high = high + words[i + 1]! + (sum > 0xffffffff ? 1 : 0) | 0;
    low = sum >>> 0;
    words[i] = low;
    words[i + 1] = high;
  }
}

/** Undoes the delta compressor: count, first value, differences. */
export function delta(
  part: Uint8Array,
  length: number,
  options: { readonly type: Datatype; readonly place: Place },
): Uint8Array {
  const { type, place } = options;
  if (type.kind === "float") {
    throw corrupt(`Cannot unpack delta data as elements must be integers: got ${type.name}`, place);
  }
  const reader = new ByteReader(part, place, { what: "delta data" });
  const count = reader.u64();
  if (count * type.size !== length) {
    throw reader.error(`${length / type.size} elements must come out: got ${count}`);
  }
  const out = own(reader.bytes(length));
  addUp(out, type.size, undefined);
  return out;
}

/** Undoes the positive delta filter: windows of differences, each with the value before its first. */
export function positiveDelta(data: Uint8Array, notes: ByteReader, type: Datatype): Uint8Array {
  const windows = notes.count(notes.u32(), type.size + 4);
  const out = own(data);
  let at = 0;
  for (let i = 0; i < windows; i++) {
    const start = notes.bytes(type.size);
    const length = notes.u32();
    if (at + length > data.length) throw notes.error(`windows have more than ${data.length} bytes`);
    if (length % type.size === 0) addUpAt(out, [at, at + length], { size: type.size, start });
    at += length;
  }
  return out;
}

function addUpAt(
  out: Uint8Array,
  [from, to]: readonly [number, number],
  { size, start }: { readonly size: number; readonly start: Uint8Array },
): void {
  if (from % Math.min(size, 4) === 0) return addUp(out.subarray(from, to), size, start);
  const window = own(out.subarray(from, to));
  addUp(window, size, start);
  out.set(window, from);
}

/** Undoes the XOR filter: parts whose elements were combined with the one before. */
export function xor(data: Uint8Array, notes: ByteReader, size: number): Uint8Array {
  const parts = notes.count(notes.u32(), 4);
  const out = own(data);
  let at = 0;
  for (let i = 0; i < parts; i++) {
    const length = notes.u32();
    if (at + length > data.length || length % size !== 0) {
      throw notes.error(
        `a part must be whole elements of ${data.length} bytes: got ${length} bytes`,
      );
    }
    for (let k = at + size; k < at + length; k++) out[k]! ^= out[k - size]!;
    at += length;
  }
  return out;
}
