/** Deflate through `node:zlib`, which is faster than the platform's streams; loaded late, as a bundle for pages has this file too. */
import type { Codec } from "./codec.ts";

/** Loads the module; gives what unpacks a zlib stream. */
export async function loadInflate(): Promise<Codec> {
  const { inflateSync } = await import("node:zlib");
  return (packed, { length, exact }) => {
    // A buffer with room for one byte more is seen to be complete without a second one; 64 is the least that is allowed.
    const chunkSize = Math.max(64, exact ? length + 1 : Math.min(length + 1, 4 * packed.length));
    const maxOutputLength = Math.max(1, length);
    const { buffer, engine } = inflateSync(packed, {
      chunkSize,
      maxOutputLength,
      info: true,
    }) as unknown as Info;
    if (engine.bytesWritten !== packed.length) {
      throw new RangeError(`${packed.length - engine.bytesWritten} bytes follow its end`);
    }
    // Short ones come out of a pool that others share.
    if (buffer.buffer.byteLength > length + 64) return new Uint8Array(buffer);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  };
}

/** What `info` adds. */
interface Info {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}
