/** Zstandard, in WebAssembly. */
import { ZSTDDecoder } from "zstddec";
import { checkDensity, checkLength, type Expected } from "./codec.ts";

/** Most bytes packed or unpacked: the library has no answer where its heap of 2 GiB ends. */
const MOST = 1 << 28;

/** The most bytes that one byte can stand for: a block of 4 bytes repeats one up to 128 KiB. */
const DENSEST = 1 << 15;

const MAGIC = 0xfd2fb528;
const decoder = new ZSTDDecoder();

/** Makes the decoder ready; must have been awaited before {@linkcode unpackZstd} is called. */
export async function prepareZstd(): Promise<void> {
  await decoder.init();
}

/** Unpacks frames. */
export function unpackZstd(chunk: Uint8Array, expected: Expected): Uint8Array {
  const { length, exact } = expected;
  if (exact) checkDensity(chunk, length, DENSEST);
  if (length > MOST || chunk.length > MOST) {
    throw new RangeError(`it may have ${MOST} bytes: got ${Math.max(length, chunk.length)}`);
  }
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk.length < 5 || view.getUint32(0, true) !== MAGIC) {
    throw new RangeError("it is no Zstandard frame");
  }
  // Given no length the library would allocate what the frame claims; it writes no more than it is given.
  const out = decoder.decode(chunk, Math.max(length, 1));
  if (out.length === 0) throw new RangeError("the frame is damaged or too long");
  checkLength(out.length, expected);
  return out;
}
