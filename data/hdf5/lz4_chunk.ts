/** LZ4 as the filter of the HDF5 plugins has it: several blocks. */
import {
  checkDensity,
  checkLength,
  type Codec,
  type Expected,
  type UnpackBlock,
} from "../codecs/codec.ts";
import { loadLz4 } from "../codecs/load_kernels.ts";

/** The most bytes that one byte can stand for. */
const DENSEST = 255;

/** Unpacks a chunk of the filter: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md, H5Zlz4.c. */
function unpackChunk(chunk: Uint8Array, expected: Expected, unpack: UnpackBlock): Uint8Array {
  if (chunk.length < 12) throw new RangeError("its header is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const claimed = Number(view.getBigUint64(0));
  const blockLength = view.getUint32(8);
  checkLength(claimed, expected);
  checkDensity(chunk, claimed, DENSEST);
  if (blockLength === 0 && claimed > 0) throw new RangeError("its blocks have no bytes");
  const out = new Uint8Array(claimed);
  let at = 12;
  for (let to = 0; to < claimed; to += blockLength) {
    if (at + 4 > chunk.length) throw new RangeError("it ends before its last block");
    const packed = view.getUint32(at);
    const end = at + 4 + packed;
    if (end > chunk.length) throw new RangeError("a block goes beyond it");
    const part = out.subarray(to, Math.min(to + blockLength, claimed));
    const block = chunk.subarray(at + 4, end);
    if (packed === part.length) part.set(block);
    else unpack(block, part);
    at = end;
  }
  if (at !== chunk.length) throw new RangeError(`${chunk.length - at} bytes follow its last block`);
  return out;
}

/** The codec of the filter. */
export async function loadLz4Chunks(): Promise<Codec> {
  const unpack = await loadLz4();
  return (chunk, expected) => unpackChunk(chunk, expected, unpack);
}
