/** Zstandard, in WebAssembly. */
import { ZSTDDecoder } from "zstddec";
import type { Codec } from "./codec.ts";

/** Most bytes packed or unpacked: the library has no answer where its heap of 2 GiB ends. */
const MOST = 1 << 28;

/** Loads the decoder. */
export async function loadZstdModule(): Promise<Codec> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (chunk, { length }) => {
    if (length > MOST || chunk.length > MOST) {
      throw new RangeError(`it may have ${MOST} bytes: got ${Math.max(length, chunk.length)}`);
    }
    // Given no length the library would allocate what the frame claims; it writes no more than it is given.
    return decoder.decode(chunk, Math.max(length, 1));
  };
}
