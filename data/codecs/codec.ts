/** What decodes chunks: a filter of HDF5, a codec of zarr. */

/** Bytes that must come out, or the most that may where `exact` is false: what another compressor made has any length. */
export interface Expected {
  readonly length: number;
  readonly exact: boolean;
}

/** Undoes one filter of a chunk; throws where the bytes are damaged, with a reason that reads on after "as". */
export type Codec = (chunk: Uint8Array, expected: Expected) => Uint8Array | Promise<Uint8Array>;

/** Fills a block of a chunk out of packed bytes; throws where they are damaged. */
export type UnpackBlock = (packed: Uint8Array, out: Uint8Array) => void;

/** Refuses a length that is not expected. */
export function checkLength(found: number, { length, exact }: Expected): void {
  if (exact ? found === length : found <= length) return;
  throw new RangeError(`${exact ? "" : "at most "}${length} bytes must come out: got ${found}`);
}

/** Refuses a length that no chunk can have whose bytes stand for at most `densest` each, before it is allocated. */
export function checkDensity(chunk: Uint8Array, length: number, densest: number): void {
  if (length <= densest * (chunk.length + 1)) return;
  throw new RangeError(`${length} bytes cannot come out of ${chunk.length}`);
}
