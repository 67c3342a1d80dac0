/** The block before an HDF5 file by which mudata knows its own: HDF5 File Format Specification, III.A, "user block". */

/** Bytes of the block; a power of two from 512 on. */
const BLOCK_BYTES = 512;

/** Where version 0 of the superblock has the address it starts at, and that of the end of the file. */
const BASE_AT = 24;
const END_AT = 40;

/**
 * The user block of an h5mu file with the file's superblock after it, which must be of version 0, moved behind the block: all other
 * addresses count from the superblock.
 *
 * @param superblock The first 96 bytes of the file.
 */
export function h5muHead(superblock: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(BLOCK_BYTES + superblock.length);
  const mark = "MuData (format-version=0.1.0;creator=scgpt-sdk;creator-version=0.1.0)";
  head.set(new TextEncoder().encode(mark));
  head.set(superblock, BLOCK_BYTES);
  const view = new DataView(head.buffer, BLOCK_BYTES);
  if (view.getUint8(8) !== 0) {
    throw new Error(
      `Cannot write an h5mu file as its superblock must be of version 0: got ${view.getUint8(8)}`,
    );
  }
  view.setBigUint64(BASE_AT, BigInt(BLOCK_BYTES), true);
  view.setBigUint64(END_AT, view.getBigUint64(END_AT, true) + BigInt(BLOCK_BYTES), true);
  return head;
}

/** Bytes of a superblock of version 0 with addresses of 8 bytes. */
export const SUPERBLOCK_BYTES = 96;
