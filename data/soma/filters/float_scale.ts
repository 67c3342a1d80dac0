/** Floats kept as integers: value = factor x integer + offset. */
import type { ByteReader } from "../bytes.ts";

/** Options of the filter, and what it must give. */
interface Scaling {
  readonly factor: number;
  readonly offset: number;
  /** Bytes of a stored integer. */
  readonly width: number;
  /** Bytes of a float. */
  readonly size: number;
  /** Most bytes that may come out. */
  readonly limit: number;
}

const INTEGERS = { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigInt64Array } as const;

/** Undoes the float scale filter. */
export function scaleBack(data: Uint8Array, notes: ByteReader, scaling: Scaling): Uint8Array {
  const { factor, offset, width, size, limit } = scaling;
  const Integers = INTEGERS[width as keyof typeof INTEGERS];
  if (Integers === undefined || size < 4) {
    throw notes.error(`integers must have 1, 2, 4 or 8 bytes: got ${width} for floats of ${size}`);
  }
  const parts = notes.count(notes.u32(), 4);
  let bytes = 0;
  for (let i = 0; i < parts; i++) bytes += notes.u32();
  if (bytes > data.length || bytes % width !== 0 || bytes / width * size > limit) {
    throw notes.error(`parts must be whole integers of ${data.length} bytes: got ${bytes} bytes`);
  }
  const integers = new Integers(data.slice(0, bytes).buffer as ArrayBuffer);
  const floats = new (size === 4 ? Float32Array : Float64Array)(integers.length);
  for (let i = 0; i < floats.length; i++) floats[i] = factor * Number(integers[i]) + offset;
  return new Uint8Array(floats.buffer);
}
