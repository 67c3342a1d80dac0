/** LZ4 as the filter of the HDF5 plugins has it: several blocks. */
import type { Codec, Expected, UnpackBlock } from "../codecs/codec.ts";
import { loadLz4 } from "../codecs/load_kernels.ts";
import { FramedChunk } from "./framed_chunk.ts";

/** The most bytes that one byte can stand for. */
const DENSEST = 255;

/** Unpacks a chunk of the filter: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md, H5Zlz4.c. */
function unpackChunk(bytes: Uint8Array, expected: Expected, unpack: UnpackBlock): Uint8Array {
  const chunk = new FramedChunk(bytes, expected, DENSEST);
  const { length, blockLength } = chunk;
  if (blockLength === 0 && length > 0) throw new RangeError("its blocks have no bytes");
  const out = new Uint8Array(length);
  for (let to = 0; to < length; to += blockLength) {
    const part = out.subarray(to, Math.min(to + blockLength, length));
    const block = chunk.next();
    if (block.length === part.length) part.set(block);
    else unpack(block, part);
  }
  const { length: left } = chunk.rest();
  if (left > 0) throw new RangeError(`${left} bytes follow its last block`);
  return out;
}

/** The codec of the filter. */
export async function loadLz4Chunks(): Promise<Codec> {
  const unpack = await loadLz4();
  return (chunk, expected) => unpackChunk(chunk, expected, unpack);
}
