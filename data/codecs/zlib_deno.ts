/** Unpacking through `node:zlib`, which is faster than what pages have; loaded late, as a bundle for pages has this file too. */
import type { Codec } from "./codec.ts";

/** What is unpacked: zlib's format, gzip's, Zstandard. */
export type NativeFormat = "deflate" | "gzip" | "zstd";

/** Loads the module; gives what unpacks a format, undefined where this runtime has not got it. */
export async function loadNative(format: NativeFormat): Promise<Codec | undefined> {
  const zlib = await import("node:zlib");
  const unpack = {
    deflate: zlib.inflateSync,
    gzip: zlib.gunzipSync,
    zstd: zlib.zstdDecompressSync,
  }[format] as unknown as Unpack | undefined;
  if (unpack === undefined) return undefined;
  return (packed, { length, exact }) => {
    // A buffer with room for one byte more is seen to be complete without a second one; 64 is the least that is allowed.
    const chunkSize = Math.max(64, exact ? length + 1 : Math.min(length + 1, 4 * packed.length));
    const maxOutputLength = Math.max(1, length);
    const { buffer, engine } = unpack(packed, { chunkSize, maxOutputLength, info: true });
    if (engine.bytesWritten !== packed.length) {
      throw new RangeError(`${packed.length - engine.bytesWritten} bytes follow its end`);
    }
    // Short ones come out of a pool that others share.
    if (buffer.buffer.byteLength > length + 64) return new Uint8Array(buffer);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  };
}

/** A function of the module as it is with `info`. */
type Unpack = (
  packed: Uint8Array,
  options: { chunkSize: number; maxOutputLength: number; info: true },
) => { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };

/** Loads the module; gives what packs with zlib's format. */
export async function loadDeflate(level: number): Promise<(bytes: Uint8Array) => Uint8Array> {
  const { deflateSync } = await import("node:zlib");
  return (bytes) => deflateSync(bytes, { level });
}
