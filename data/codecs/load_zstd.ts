/** Loads Zstandard: `node:zlib` on a server that has it, else WebAssembly, which only arrays that need it shall cost. */
import { checkDensity, checkLength, type Codec, type UnpackBlock } from "./codec.ts";
import { zstdLength } from "./zstd_frames.ts";

/** The most bytes that one byte can stand for: a block of 4 bytes repeats one up to 128 KiB. */
const DENSEST = 1 << 15;

/** The codec. */
export async function loadZstd(): Promise<Codec> {
  const native = "Deno" in globalThis
    ? await (await import("./zlib_deno.ts")).loadNative("zstd")
    : undefined;
  return checked(native ?? await (await import("./zstd.ts")).loadZstdModule());
}

/** The codec in WebAssembly, which pages have. */
export async function loadZstdOfPages(): Promise<Codec> {
  return checked(await (await import("./zstd.ts")).loadZstdModule());
}

/** Neither decoder says that frames are cut off, and either would be given as much room as they claim. */
function checked(unpack: Codec): Codec {
  return (chunk, expected) => {
    const most = zstdLength(chunk);
    if (expected.exact) checkDensity(chunk, expected.length, DENSEST);
    const length = expected.exact ? expected.length : Math.min(expected.length, most);
    const out = unpack(chunk, { length, exact: expected.exact }) as Uint8Array;
    if (out.length === 0 && length > 0 && most > 0) throw new RangeError("the frame is damaged");
    checkLength(out.length, expected);
    return out;
  };
}

/** The same for blocks of other codecs. */
export async function loadZstdBlock(): Promise<UnpackBlock> {
  const unpack = await loadZstd();
  return (packed, out) =>
    out.set(unpack(packed, { length: out.length, exact: true }) as Uint8Array);
}
