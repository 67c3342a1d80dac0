/**
 * Unpacks gzip of one part or several, as `bgzip` and `cat a.gz b.gz` make them; checks every part. The modules are loaded late, as a
 * bundle for pages has this file too and must not ask for them.
 */
export async function gunzip(): Promise<TransformStream<Uint8Array, Uint8Array>> {
  const [{ Duplex }, { createGunzip }] = await Promise.all([
    import("node:stream"),
    import("node:zlib"),
  ]);
  return Duplex.toWeb(createGunzip({ chunkSize: 1 << 18 })) as never;
}
