/** Packing with zlib's format. */

/** Packs bytes. */
export type Pack = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Packs by the platform's stream, whose level is its own. */
async function deflateStream(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(
    new CompressionStream("deflate"),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Loads what packs here: `node:zlib` on a server, the platform's stream in a page. */
export async function loadDeflate(level: number): Promise<Pack> {
  if (!("Deno" in globalThis)) return deflateStream;
  return await (await import("./zlib_deno.ts")).loadDeflate(level);
}
