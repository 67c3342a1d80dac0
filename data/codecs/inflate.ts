/** Deflate with zlib's header. */
import { checkDensity, type Codec, type Expected } from "./codec.ts";

/** The most bytes that one byte of deflate can stand for. */
const DENSEST = 1032;

/** Unpacks by the platform's stream, which refuses bytes behind the end. */
export async function inflateStream(
  packed: Uint8Array,
  { length }: Expected,
): Promise<Uint8Array> {
  const stream = new Blob([packed as BlobPart]).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const out = new Uint8Array(length);
  let at = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const end = at + next.value.length;
    if (end > length) {
      await reader.cancel();
      throw new RangeError(`more than ${length} bytes come out`);
    }
    out.set(next.value, at);
    at = end;
  }
  return out.subarray(0, at);
}

/** Loads what is fastest here: `node:zlib` on a server, the platform's stream in a page. */
export async function loadInflate(): Promise<Codec> {
  const inflate: Codec = "Deno" in globalThis
    ? await (await import("./inflate_deno.ts")).loadInflate()
    : inflateStream;
  return (packed, { length, exact }) => {
    if (exact) checkDensity(packed, length, DENSEST);
    return inflate(packed, { length: Math.min(length, DENSEST * (packed.length + 1)), exact });
  };
}
