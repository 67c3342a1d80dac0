/** Fixed arrays, which index the chunks of arrays that cannot grow: HDF5 File Format Specification, VII.C. */
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Reads an element by number; undefined where none is stored. */
export type ReadElement = (number: number) => Promise<Uint8Array | undefined>;

/** The array of the header at an address. */
export async function fixedElements(
  file: Hdf5Bytes,
  address: number,
  width: number,
): Promise<ReadElement> {
  const { offsetBytes, lengthBytes } = file;
  const bytes = await file.read(address, 12 + lengthBytes + offsetBytes);
  checkSum(bytes, "a fixed array");
  const fields = new Fields(bytes);
  fields.signature("FAHD");
  fields.version([0], "a fixed array");
  fields.skip(1);
  const found = fields.u8();
  if (found !== width) {
    throw new Damage(`elements of a fixed array must have ${width} bytes: got ${found}`);
  }
  const pageElements = 2 ** fields.u8();
  const count = fields.uint(lengthBytes);
  const block = fields.address(offsetBytes);
  if (block === undefined) return () => Promise.resolve(undefined);
  const head = 6 + offsetBytes;
  const paged = count > pageElements;
  const pages = Math.ceil(count / pageElements);
  const bitmap = paged ? await file.read(block + head, Math.ceil(pages / 8)) : new Uint8Array(0);
  const start = block + head + bitmap.length + (paged ? 4 : 0);
  return async (number) => {
    if (number >= count) return undefined;
    const page = paged ? Math.floor(number / pageElements) : 0;
    if (paged && (bitmap[page >> 3]! & (0x80 >> (page & 7))) === 0) return undefined;
    // Each page ends with a checksum of four bytes.
    return await file.read(start + number * width + page * 4, width);
  };
}
