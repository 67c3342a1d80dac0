/** Attributes of groups and data sets: HDF5 File Format Specification, IV.A.2.m and IV.A.2.v. */
import type { AttributeValue } from "../storage.ts";
import { treeRecords } from "./btree_v2.ts";
import { type Datatype, parseDatatype } from "./datatype.ts";
import { decode } from "./decode.ts";
import { Damage, Fields } from "./fields.ts";
import { openFractalHeap } from "./fractal_heap.ts";
import { parseDataspace } from "./messages.ts";
import { MESSAGE, type Message, sharedContent } from "./object_header.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** An attribute before its value is read. */
interface Stored {
  readonly name: string;
  readonly type: Datatype;
  /** Lengths of the axes; null where there is no value. */
  readonly shape: readonly number[] | null;
  readonly data: Uint8Array;
}

/** The parts of an attribute message. */
async function parseAttribute(file: Hdf5Bytes, bytes: Uint8Array): Promise<Stored> {
  const fields = new Fields(bytes);
  const version = fields.version([1, 2, 3], "an attribute");
  const flags = fields.u8();
  const lengths = [fields.u16(), fields.u16(), fields.u16()] as const;
  if (version === 3) fields.skip(1);
  const part = (length: number) => {
    const content = fields.bytes(length);
    if (version === 1) fields.skip((8 - length % 8) % 8);
    return content;
  };
  const name = new Fields(part(lengths[0])).text(lengths[0]);
  const [type, space] = [part(lengths[1]), part(lengths[2])];
  const shared = version > 1 ? flags : 0;
  return {
    name,
    type: parseDatatype(shared & 1 ? await sharedContent(file, type, MESSAGE.datatype) : type),
    shape: parseDataspace(
      shared & 2 ? await sharedContent(file, space, MESSAGE.dataspace) : space,
      file,
    )?.shape ?? null,
    data: fields.bytes(fields.left),
  };
}

/** The messages of attributes that are not in the header. */
async function* denseAttributes(file: Hdf5Bytes, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const fields = new Fields(bytes);
  fields.version([0], "the info of attributes");
  if (fields.u8() & 1) fields.skip(2);
  const heap = fields.address(file.offsetBytes);
  const tree = fields.address(file.offsetBytes);
  if (heap === undefined || tree === undefined) return;
  const read = await openFractalHeap(file, heap);
  for await (const record of treeRecords(file, tree, 8)) yield await read(record);
}

/** Whether a value is one that an attribute may have. */
function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** The value as plain text and numbers; undefined where it is of another kind, such as a reference, which no encoding needs. */
async function valueOf(file: Hdf5Bytes, stored: Stored): Promise<AttributeValue | undefined> {
  const { type, shape, data } = stored;
  if (shape === null || type.kind === "unsupported" || type.kind === "array") return undefined;
  const count = shape.reduce((product, length) => product * length, 1);
  const decoded = await decode(file, new Fields(data).bytes(count * type.size), type);
  if ("fields" in decoded) return undefined;
  const values = Array.from(
    decoded as ArrayLike<string | number | bigint>,
    (value) =>
      typeof value === "bigint" ? Number(value) : type.kind === "bool" ? value === 1 : value,
  );
  if (shape.length === 0) return isScalar(values[0]) ? values[0] : undefined;
  return values as string[] | number[];
}

/** The attributes of an object by name; a value that cannot be read stands as the damage that it has. */
export type Attributes = ReadonlyMap<string, AttributeValue | Damage | undefined>;

/** Reads the attributes of an object. */
export async function readAttributes(
  file: Hdf5Bytes,
  messages: readonly Message[],
): Promise<Attributes> {
  const contents: Uint8Array[] = [];
  for (const { type, bytes, shared } of messages) {
    if (type === MESSAGE.attribute) {
      contents.push(shared ? await sharedContent(file, bytes, type) : bytes);
    }
    if (type !== MESSAGE.attributeInfo) continue;
    for await (const content of denseAttributes(file, bytes)) contents.push(content);
  }
  const attributes = new Map<string, AttributeValue | Damage | undefined>();
  for (const content of contents) {
    const stored = await parseAttribute(file, content);
    const value = valueOf(file, stored).catch((error) => {
      if (error instanceof Damage) return error;
      throw error;
    });
    attributes.set(stored.name, await value);
  }
  return attributes;
}
