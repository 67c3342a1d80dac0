/** Extensible arrays, which index the chunks of arrays that grow along one axis: HDF5 File Format Specification, VII.D. */
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import type { ReadElement } from "./fixed_array.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** What the header says. */
interface Header {
  readonly file: Hdf5Bytes;
  /** Bytes of an element. */
  readonly width: number;
  /** Bytes of an element's number in blocks. */
  readonly numberBytes: number;
  /** Elements in the index block. */
  readonly inIndex: number;
  /** Elements of the smallest block with data. */
  readonly smallest: number;
  /** Data blocks that the smallest secondary block points at. */
  readonly pointers: number;
  /** Elements of a page of a data block. */
  readonly pageElements: number;
  readonly index: number;
}

async function readHeader(
  file: Hdf5Bytes,
  address: number,
  width: number,
): Promise<Header | undefined> {
  const { offsetBytes, lengthBytes } = file;
  const bytes = await file.read(address, 16 + 6 * lengthBytes + offsetBytes);
  checkSum(bytes, "an extensible array");
  const fields = new Fields(bytes);
  fields.signature("EAHD");
  fields.version([0], "an extensible array");
  fields.skip(1);
  const found = fields.u8();
  if (found !== width) {
    throw new Damage(`elements of an extensible array must have ${width} bytes: got ${found}`);
  }
  const numberBytes = Math.ceil(fields.u8() / 8);
  const [inIndex, smallest, pointers, pageBits] = [
    fields.u8(),
    fields.u8(),
    fields.u8(),
    fields.u8(),
  ];
  fields.skip(6 * lengthBytes);
  const index = fields.address(offsetBytes);
  if (index === undefined) return undefined;
  return {
    file,
    width,
    numberBytes,
    inIndex,
    smallest,
    pointers,
    pageElements: 2 ** pageBits,
    index,
  };
}

/** A secondary block by number: how many data blocks it has, of how many elements, and what is before it. */
interface Level {
  readonly blocks: number;
  readonly elements: number;
  readonly firstElement: number;
  readonly firstBlock: number;
}

/** The level that holds an element that is not in the index block. */
function levelOf({ smallest }: Header, number: number): Level & { level: number } {
  let [firstElement, firstBlock] = [0, 0];
  for (let level = 0; level < 64; level++) {
    const blocks = 2 ** Math.floor(level / 2);
    const elements = smallest * 2 ** Math.ceil(level / 2);
    if (number < firstElement + blocks * elements) {
      return { level, blocks, elements, firstElement, firstBlock };
    }
    firstElement += blocks * elements;
    firstBlock += blocks;
  }
  throw new Damage("an extensible array has no such element");
}

/** An address in a list of them. */
async function addressAt({ file }: Header, list: number, k: number): Promise<number | undefined> {
  const bytes = await file.read(list + k * file.offsetBytes, file.offsetBytes);
  return new Fields(bytes).address(file.offsetBytes);
}

/** Levels whose data blocks the index block points at itself. */
function directLevels({ pointers }: Header): number {
  return 2 * Math.log2(pointers);
}

/** The data block that holds an element, and the page's bit where blocks have pages. */
async function blockOf(
  header: Header,
  at: Level & { level: number },
  block: number,
): Promise<{ address: number; written: (page: number) => boolean } | undefined> {
  const { file, inIndex, width, pointers, index, numberBytes, pageElements } = header;
  const lists = index + 6 + file.offsetBytes + inIndex * width;
  const direct = directLevels(header);
  const always = () => true;
  if (at.level < direct) {
    const address = await addressAt(header, lists, at.firstBlock + block);
    return address === undefined ? undefined : { address, written: always };
  }
  const inLists = 2 * (pointers - 1);
  const secondary = await addressAt(header, lists + inLists * file.offsetBytes, at.level - direct);
  if (secondary === undefined) return undefined;
  const head = secondary + 6 + file.offsetBytes + numberBytes;
  const pages = at.elements > pageElements ? at.elements / pageElements : 0;
  const bitmapBytes = Math.ceil(pages / 8);
  const address = await addressAt(header, head + at.blocks * bitmapBytes, block);
  if (address === undefined) return undefined;
  if (pages === 0) return { address, written: always };
  const bitmap = await file.read(head, at.blocks * bitmapBytes);
  const written = (page: number) => {
    const bit = block * pages + page; // of one row of bits, though each block has whole bytes
    return (bitmap[bit >> 3]! & (0x80 >> (bit & 7))) !== 0;
  };
  return { address, written };
}

/** The array of the header at an address. */
export async function extensibleElements(
  file: Hdf5Bytes,
  address: number,
  width: number,
): Promise<ReadElement> {
  const header = await readHeader(file, address, width);
  if (header === undefined) return () => Promise.resolve(undefined);
  const { inIndex, index, numberBytes, pageElements } = header;
  new Fields(await file.read(index, 4)).signature("EAIB");
  return async (number) => {
    if (number < inIndex) {
      return await file.read(index + 6 + file.offsetBytes + number * width, width);
    }
    const at = levelOf(header, number - inIndex);
    const inLevel = number - inIndex - at.firstElement;
    const block = await blockOf(header, at, Math.floor(inLevel / at.elements));
    if (block === undefined) return undefined;
    const inBlock = inLevel % at.elements;
    const head = block.address + 6 + file.offsetBytes + numberBytes;
    if (at.elements <= pageElements) return await file.read(head + inBlock * width, width);
    const page = Math.floor(inBlock / pageElements);
    if (!block.written(page)) return undefined;
    // The block's head and each page end with a checksum of four bytes.
    return await file.read(head + 4 + inBlock * width + page * 4, width);
  };
}
