/** Loads Zstandard, whose WebAssembly only arrays that need it shall cost. */
import type { Codec, UnpackBlock } from "./codec.ts";

/** The codec of the filter. */
export async function loadZstd(): Promise<Codec> {
  const { prepareZstd, unpackZstd } = await import("./zstd.ts");
  await prepareZstd();
  return unpackZstd;
}

/** The same for blocks of other filters. */
export async function loadZstdBlock(): Promise<UnpackBlock> {
  const { prepareZstd, unpackZstd } = await import("./zstd.ts");
  await prepareZstd();
  return (packed, out) => out.set(unpackZstd(packed, { length: out.length, exact: true }));
}
