/** Zstandard, in WebAssembly. */
import { ZSTDDecoder } from "zstddec";
import { corrupt, type Place } from "../bytes.ts";

/** Most bytes of one frame: the library has no answer where its heap ends. */
const MOST = 1 << 28;

const decoder = new ZSTDDecoder();

/** Makes the decoder ready; must have been awaited before {@linkcode zstd} is called. */
export async function prepareZstd(): Promise<void> {
  await decoder.init();
}

/** Unpacks a frame; `length` bytes must come out. */
export function zstd(frame: Uint8Array, length: number, place: Place): Uint8Array {
  if (length > MOST) {
    throw corrupt(`Cannot unpack zstd data as they may have ${MOST} bytes: got ${length}`, place);
  }
  const bytes = decoder.decode(frame, length);
  if (bytes.length === length) return bytes;
  throw corrupt(`Cannot unpack zstd data as the frame is damaged`, place);
}
