import { Duplex } from "node:stream";
import { createGunzip } from "node:zlib";

/** Unpacks gzip of one part or several, as `bgzip` and `cat a.gz b.gz` make them; checks every part. */
export function gunzip(): TransformStream<Uint8Array, Uint8Array> {
  return Duplex.toWeb(createGunzip({ chunkSize: 1 << 18 })) as never;
}
