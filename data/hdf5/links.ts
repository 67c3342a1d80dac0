/** The names in a group: HDF5 File Format Specification, III.B-E, IV.A.2.c, IV.A.2.g, IV.A.2.r. */
import { walkTree } from "./btree_v1.ts";
import { treeRecords } from "./btree_v2.ts";
import { Damage, Fields } from "./fields.ts";
import { openFractalHeap } from "./fractal_heap.ts";
import { MESSAGE, type Message } from "./object_header.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Where a name leads: to a header, to a path in the same file, or away. */
export type Link =
  | { readonly kind: "hard"; readonly address: number }
  | { readonly kind: "soft"; readonly path: string }
  | { readonly kind: "external" };

type Links = Map<string, Link>;

/** A link message. */
function parseLink(fields: Fields, { offsetBytes }: Hdf5Bytes): [string, Link] {
  fields.version([1], "a link");
  const flags = fields.u8();
  const kind = flags & 8 ? fields.u8() : 0;
  fields.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
  const name = fields.text(fields.uint(1 << (flags & 3)));
  if (kind === 0) return [name, { kind: "hard", address: fields.uint(offsetBytes) }];
  if (kind === 1) return [name, { kind: "soft", path: fields.text(fields.u16()) }];
  return [name, { kind: "external" }];
}

/** Links of a group with many, sorted by name as the library lists them. */
async function denseLinks(file: Hdf5Bytes, bytes: Uint8Array): Promise<[string, Link][]> {
  const fields = new Fields(bytes);
  fields.version([0], "the info of links");
  if (fields.u8() & 1) fields.skip(8);
  const heap = fields.address(file.offsetBytes);
  const tree = fields.address(file.offsetBytes);
  if (heap === undefined || tree === undefined) return [];
  const read = await openFractalHeap(file, heap);
  const links: [string, Link][] = [];
  for await (const record of treeRecords(file, tree, 5)) {
    record.skip(4); // hash of the name
    links.push(parseLink(new Fields(await read(record)), file));
  }
  return links;
}

/** A heap of names: their bytes. */
async function localHeap(file: Hdf5Bytes, address: number): Promise<Uint8Array> {
  const { offsetBytes, lengthBytes } = file;
  const fields = new Fields(await file.read(address, 8 + 2 * lengthBytes + offsetBytes));
  fields.signature("HEAP");
  fields.skip(4);
  const length = fields.uint(lengthBytes);
  fields.skip(lengthBytes);
  return await file.read(fields.uint(offsetBytes), length);
}

/** A text in a heap of names. */
function nameAt(heap: Uint8Array, at: number): string {
  if (at >= heap.length) throw new Damage("a name is beyond its heap");
  return new Fields(heap.subarray(at)).terminated();
}

/** Bytes of an entry of a symbol table: two addresses, kind, and 16 of use to some kinds. */
const ENTRY = (file: Hdf5Bytes) => 2 * file.offsetBytes + 24;

/** Links of a leaf of a symbol table. */
async function tableLinks(
  file: Hdf5Bytes,
  address: number,
  heap: Uint8Array,
): Promise<[string, Link][]> {
  const head = new Fields(await file.read(address, 8));
  head.signature("SNOD");
  head.skip(2);
  const count = head.u16();
  const fields = new Fields(await file.read(address + 8, count * ENTRY(file)));
  return Array.from({ length: count }, () => {
    const name = nameAt(heap, fields.uint(file.offsetBytes));
    const target = fields.address(file.offsetBytes);
    const kind = fields.u32();
    fields.skip(4);
    const scratch = new Fields(fields.bytes(16));
    if (kind === 2) return [name, { kind: "soft", path: nameAt(heap, scratch.u32()) }];
    if (target === undefined) throw new Damage(`the name ${name} leads nowhere`);
    return [name, { kind: "hard", address: target }];
  });
}

/** Links of a group of the oldest form. */
async function oldLinks(file: Hdf5Bytes, bytes: Uint8Array): Promise<[string, Link][]> {
  const fields = new Fields(bytes);
  const tree = fields.uint(file.offsetBytes);
  const heap = await localHeap(file, fields.uint(file.offsetBytes));
  const kind = {
    type: 0,
    keyBytes: file.lengthBytes,
    key: (f: Fields) => f.skip(file.lengthBytes),
  };
  const links: [string, Link][] = [];
  for await (const { address } of walkTree(file, tree, kind)) {
    links.push(...await tableLinks(file, address, heap));
  }
  return links;
}

/** Whether the messages are those of a group. */
export function isGroup(messages: readonly Message[]): boolean {
  return messages.some(({ type }) =>
    type === MESSAGE.symbolTable || type === MESSAGE.linkInfo || type === MESSAGE.link
  );
}

/** The links of a group by name, in the order of the names as the library lists them. */
export async function readLinks(file: Hdf5Bytes, messages: readonly Message[]): Promise<Links> {
  const links: [string, Link][] = [];
  for (const { type, bytes } of messages) {
    if (type === MESSAGE.symbolTable) links.push(...await oldLinks(file, bytes));
    if (type === MESSAGE.linkInfo) links.push(...await denseLinks(file, bytes));
    if (type === MESSAGE.link) links.push(parseLink(new Fields(bytes), file));
  }
  return new Map(links.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
}
