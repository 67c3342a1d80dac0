/** What the kernels do for codecs, or TypeScript where there are none. */
import type { UnpackBlock } from "./codec.ts";
import { type Kernels, loadKernels, MOST_OF_BLOCK, MOST_OF_ELEMENT } from "./kernels.ts";
import { unpackLz4 } from "./lz4.ts";
import { unshuffle } from "./shuffle.ts";

/** Puts the bytes of each element of a block together again. */
export type Unshuffle = (bytes: Uint8Array, size: number, out?: Uint8Array) => Uint8Array;

/** Unpacks blocks of LZ4. */
export function lz4With(kernels: Kernels | undefined): UnpackBlock {
  if (kernels === undefined) return unpackLz4;
  return (packed, out) => {
    if (out.length > MOST_OF_BLOCK) unpackLz4(packed, out);
    else kernels.unpackLz4(packed, out);
  };
}

/** Unshuffles blocks. */
export function unshuffleWith(kernels: Kernels | undefined): Unshuffle {
  return (bytes, size, room) => {
    if (size <= 1 || kernels === undefined || size > MOST_OF_ELEMENT) {
      const out = unshuffle(bytes, size);
      if (room === undefined || room === bytes) return out;
      room.set(out);
      return room;
    }
    const out = room ?? new Uint8Array(bytes.length);
    kernels.unshuffle(bytes, size, out);
    return out;
  };
}

/** Loads LZ4. */
export async function loadLz4(): Promise<UnpackBlock> {
  return lz4With(await loadKernels());
}

/** Loads unshuffling. */
export async function loadUnshuffle(): Promise<Unshuffle> {
  return unshuffleWith(await loadKernels());
}
