/** Fractal heaps, which hold the links or attributes of objects with many: HDF5 File Format Specification, III.G. */
import { bytesFor, treeRecords } from "./btree_v2.ts";
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** What the header says. */
interface Heap {
  readonly file: Hdf5Bytes;
  /** Blocks in a row of an indirect block. */
  readonly width: number;
  /** Bytes of a block in the first row; they double from the third on. */
  readonly starting: number;
  /** Bytes of the largest block with data; larger ones hold addresses. */
  readonly largest: number;
  /** Bytes of an offset in the heap. */
  readonly offsetBytes: number;
  /** Bytes of a length in an id. */
  readonly sizeBytes: number;
  /** Bytes of an id. */
  readonly idBytes: number;
  /** Tree of the objects that no block holds. */
  readonly huge: number | undefined;
  readonly root: number | undefined;
  /** Rows of the root; 0 where it holds data itself. */
  readonly rows: number;
}

/** Opens the heap at an address. */
async function openHeap(file: Hdf5Bytes, address: number): Promise<Heap> {
  const { offsetBytes: o, lengthBytes: l } = file;
  const length = 22 + 12 * l + 3 * o + 4;
  const bytes = await file.read(address, length);
  const fields = new Fields(bytes);
  fields.signature("FRHP");
  fields.version([0], "a fractal heap");
  const idBytes = fields.u16();
  if (fields.u16() !== 0) throw new Damage("fractal heaps with filters are not known");
  checkSum(bytes, "a fractal heap");
  fields.skip(1);
  const managed = fields.u32();
  fields.skip(l);
  const huge = fields.address(o);
  fields.skip(l + o + 4 * l + 4 * l);
  const width = fields.u16();
  const starting = fields.uint(l);
  const largest = fields.uint(l);
  const bits = fields.u16();
  fields.skip(2);
  const root = fields.address(o);
  const rows = fields.u16();
  if (width === 0 || starting === 0) throw new Damage("a fractal heap's blocks have no bytes");
  const sizeBytes = Math.min(bytesFor(largest), bytesFor(managed));
  return {
    file,
    width,
    starting,
    largest,
    offsetBytes: Math.ceil(bits / 8),
    sizeBytes,
    idBytes,
    huge,
    root,
    rows,
  };
}

/** Bytes of a block in a row. */
function rowBytes({ starting }: Heap, row: number): number {
  return starting * 2 ** Math.max(0, row - 1);
}

/** Reads bytes that begin at an offset inside a block with data. */
async function readDirect(
  { file }: Heap,
  address: number,
  place: { offset: number; length: number; size: number },
): Promise<Uint8Array> {
  const { offset, length, size } = place;
  if (offset + length > size) throw new Damage("an object goes beyond its heap's block");
  new Fields(await file.read(address, 4)).signature("FHDB");
  return await file.read(address + offset, length);
}

/** Finds the block with data that holds an offset, through blocks of addresses. */
async function readIndirect(
  heap: Heap,
  block: { address: number; rows: number },
  place: { offset: number; length: number },
): Promise<Uint8Array> {
  const { file, width } = heap;
  new Fields(await file.read(block.address, 4)).signature("FHIB");
  let { offset } = place;
  for (let row = 0; row < block.rows; row++) {
    const size = rowBytes(heap, row);
    if (offset >= size * width) {
      offset -= size * width;
      continue;
    }
    const entry = row * width + Math.floor(offset / size);
    const at = block.address + 5 + file.offsetBytes + heap.offsetBytes + entry * file.offsetBytes;
    const child = new Fields(await file.read(at, file.offsetBytes)).address(file.offsetBytes);
    if (child === undefined) throw new Damage("an object is in no block of its heap");
    const inside = { ...place, offset: offset % size };
    if (size <= heap.largest) return await readDirect(heap, child, { ...inside, size });
    const rows = Math.log2(size / (heap.starting * width)) + 1;
    if (rows >= block.rows) throw new Damage("a fractal heap leads in a circle");
    return await readIndirect(heap, { address: child, rows }, inside);
  }
  throw new Damage("an object is beyond the end of its heap");
}

/** Reads an object that stands alone in the file; the tree says where. */
async function readHuge({ file, huge }: Heap, id: Fields): Promise<Uint8Array> {
  const { offsetBytes, lengthBytes } = file;
  // An id with room for address and length has them instead of a number.
  if (id.left >= offsetBytes + lengthBytes) {
    const address = id.uint(offsetBytes);
    return await file.read(address, id.uint(lengthBytes));
  }
  const number = id.uint(Math.min(id.left, lengthBytes));
  if (huge === undefined) throw new Damage("a fractal heap has no huge objects");
  for await (const record of treeRecords(file, huge, 1)) {
    const [address, length] = [record.uint(offsetBytes), record.uint(lengthBytes)];
    if (record.uint(lengthBytes) === number) return await file.read(address, length);
  }
  throw new Damage(`huge object ${number} is not in its heap`);
}

/** The object that an id stands for. */
async function readObject(heap: Heap, id: Fields): Promise<Uint8Array> {
  const first = id.u8();
  const kind = (first >> 4) & 3;
  if (kind === 2) return id.bytes((first & 15) + 1);
  if (kind === 1) return await readHuge(heap, id);
  if (kind !== 0) throw new Damage(`objects of kind ${kind} are not known`);
  const place = { offset: id.uint(heap.offsetBytes), length: id.uint(heap.sizeBytes) };
  const { root, rows, starting } = heap;
  if (root === undefined) throw new Damage("a fractal heap is empty");
  if (rows === 0) return await readDirect(heap, root, { ...place, size: starting });
  return await readIndirect(heap, { address: root, rows }, place);
}

/** The heap at an address, as a reader of the objects whose ids stand in records. */
export async function openFractalHeap(
  file: Hdf5Bytes,
  address: number,
): Promise<(record: Fields) => Promise<Uint8Array>> {
  const heap = await openHeap(file, address);
  return (record) => readObject(heap, new Fields(record.bytes(heap.idBytes)));
}
