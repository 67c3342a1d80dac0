/** Deflate with the header of zlib or of gzip. */
import { checkDensity, type Codec, type Expected } from "./codec.ts";

/** The most bytes that one byte of deflate can stand for. */
const DENSEST = 1032;

/** How deflate is framed. */
type Format = "deflate" | "gzip";

/** Unpacks by the platform's stream, which refuses bytes behind the end. */
export async function inflateStream(
  packed: Uint8Array,
  { length }: Expected,
  format: Format = "deflate",
): Promise<Uint8Array> {
  const stream = new Blob([packed as BlobPart]).stream()
    .pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  // The length may be far above what comes out.
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    total += next.value.length;
    pieces.push(next.value);
    if (total > length) {
      await reader.cancel();
      throw new RangeError(`more than ${length} bytes come out`);
    }
  }
  return joined(pieces, total);
}

/** Pieces one after the other. */
function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Loads what is fastest here: `node:zlib` on a server, the platform's stream in a page. */
export async function loadInflate(format: Format = "deflate"): Promise<Codec> {
  const native = "Deno" in globalThis
    ? await (await import("./zlib_deno.ts")).loadNative(format)
    : undefined;
  const inflate: Codec = native ??
    ((packed, expected) => inflateStream(packed, expected, format));
  return (packed, { length, exact }) => {
    if (exact) checkDensity(packed, length, DENSEST);
    return inflate(packed, { length: Math.min(length, DENSEST * (packed.length + 1)), exact });
  };
}
