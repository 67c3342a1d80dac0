/** Object headers, whose messages say what a group or data set is: HDF5 File Format Specification, IV.A. */
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Kinds of messages that are read. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFill: 0x04,
  fill: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

const CONTINUATION = 0x10;

/** Flag of a message that stands elsewhere. */
const SHARED = 2;

/** The most blocks and bytes that a header may have: damage could chain them without end. */
const MOST_BLOCKS = 10_000, MOST_BYTES = 1 << 26;

/** A message of a header. */
export interface Message {
  /** Its kind. */
  readonly type: number;
  /** Its content. */
  readonly bytes: Uint8Array;
  /** Whether the content says where the message stands. */
  readonly shared: boolean;
}

/** A block of messages: where it is, and what its bytes are. */
interface Block {
  readonly bytes: Uint8Array;
  readonly version: 1 | 2;
  readonly ordered: boolean;
}

/** The prefix of version 1 and the block behind it. */
async function firstOf1(file: Hdf5Bytes, address: number): Promise<Block> {
  const prefix = new Fields(await file.read(address, 16));
  prefix.skip(8);
  const length = prefix.u32();
  return { bytes: await file.read(address + 16, length), version: 1, ordered: false };
}

/** The prefix of version 2 and the block behind it, whose checksum is theirs. */
async function firstOf2(file: Hdf5Bytes, address: number): Promise<Block> {
  const head = new Fields(await file.read(address, 6));
  head.signature("OHDR");
  head.version([2], "an object header");
  const flags = head.u8();
  const prefix = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 1 << (flags & 3);
  const length = new Fields(await file.read(address + prefix, width)).uint(width);
  const bytes = await file.read(address, prefix + width + length + 4);
  checkSum(bytes, "an object header");
  return { bytes: bytes.subarray(prefix + width, -4), version: 2, ordered: (flags & 4) !== 0 };
}

/** A block that a message points at. */
async function continued(
  file: Hdf5Bytes,
  { version, ordered }: Block,
  message: Fields,
): Promise<Block> {
  const at = message.uint(file.offsetBytes);
  const bytes = await file.read(at, message.uint(file.lengthBytes));
  if (version === 1) return { bytes, version, ordered };
  checkSum(bytes, "a continued object header");
  new Fields(bytes).signature("OCHK");
  return { bytes: bytes.subarray(4, -4), version, ordered };
}

/** The messages of one block. */
function* messagesIn({ bytes, version, ordered }: Block): Generator<Message> {
  const fields = new Fields(bytes);
  const head = version === 1 ? 8 : ordered ? 6 : 4;
  while (fields.left >= head) {
    const start = fields.at;
    const type = version === 1 ? fields.u16() : fields.u8();
    const length = fields.u16();
    const flags = fields.u8();
    fields.skip(head - (fields.at - start));
    yield { type, bytes: fields.bytes(length), shared: (flags & SHARED) !== 0 };
  }
}

/** All messages of the header at an address. */
export async function readHeader(file: Hdf5Bytes, address: number): Promise<Message[]> {
  const [first] = await file.read(address, 1);
  const blocks = [first === 1 ? await firstOf1(file, address) : await firstOf2(file, address)];
  const messages: Message[] = [];
  let total = 0;
  for (let block = blocks.shift(), count = 1; block !== undefined; block = blocks.shift()) {
    total += block.bytes.length;
    if (total > MOST_BYTES) throw new Damage("an object header is larger than any that is right");
    for (const message of messagesIn(block)) {
      if (message.type !== CONTINUATION) messages.push(message);
      else if (++count > MOST_BLOCKS) throw new Damage("an object header has no end");
      else blocks.push(await continued(file, block, new Fields(message.bytes)));
    }
  }
  return messages;
}

/** The content of a message, fetched from the header it is shared with where it stands there. */
export async function contentOf(file: Hdf5Bytes, message: Message): Promise<Uint8Array> {
  return message.shared ? await sharedContent(file, message.bytes, message.type) : message.bytes;
}

/** The content of a message of this type that `reference` points at: IV.A.1, "Shared Message". */
export async function sharedContent(
  file: Hdf5Bytes,
  reference: Uint8Array,
  type: number,
): Promise<Uint8Array> {
  const fields = new Fields(reference);
  const version = fields.version([1, 2, 3], "a shared message");
  const kind = fields.u8();
  if (version === 1) fields.skip(6);
  if (version === 3 && kind === 1) throw new Damage("messages in a shared heap are not known");
  const header = await readHeader(file, fields.uint(file.offsetBytes));
  const message = header.find((message) => message.type === type && !message.shared);
  if (message === undefined) throw new Damage("a shared message is not where it should be");
  return message.bytes;
}
