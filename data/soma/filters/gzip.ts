/** Deflate with zlib's header, by the platform's own codec. */
import { corrupt, type Place } from "../bytes.ts";

/** Unpacks a zlib stream; `length` bytes must come out, and no more are held. */
export async function gunzip(
  packed: Uint8Array,
  length: number,
  place: Place,
): Promise<Uint8Array> {
  const stream = new Blob([packed as BlobPart]).stream().pipeThrough(
    new DecompressionStream("deflate"),
  );
  const bytes = new Uint8Array(length);
  let at = 0;
  try {
    for await (const part of stream) {
      if (at + part.length > length) throw new RangeError("it is longer than it says");
      bytes.set(part, at);
      at += part.length;
    }
  } catch (cause) {
    const reason = cause instanceof RangeError ? cause.message : "the stream is damaged";
    throw corrupt(`Cannot unpack gzip data as ${reason}`, { ...place, cause });
  }
  if (at === length) return bytes;
  throw corrupt(`Cannot unpack gzip data as ${length} bytes must come out: got ${at}`, place);
}
