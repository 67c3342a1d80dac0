/**
 * A zarr store inside a ZIP file, read by ranges without loading the whole. Format: APPNOTE.TXT of PKWARE, sections 4.3.7 to
 * 4.3.16; ZIP64 included. An entry that was written several times has the value of the last.
 */
import { crc32 } from "../codecs/crc.ts";
import { FormatError } from "../errors.ts";
import type { ByteSource } from "../source.ts";
import { foldersOf, resolveRange, type ZarrStore } from "./store.ts";

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const MOST = 0xffffffff;

/** Deflate packs no more bytes than these into one. */
const DENSEST = 1032;

/** An entry of the directory. */
interface Entry {
  /** Place of its local header. */
  readonly at: number;
  /** 0 is stored, 8 is deflate. */
  readonly method: number;
  /** Bytes in the file. */
  readonly packed: number;
  /** Bytes unpacked. */
  readonly size: number;
  /** CRC-32 of the unpacked bytes. */
  readonly checksum: number;
}

/** Refuses a file that breaks the format. */
function refuse(source: ByteSource, reason: string): never {
  throw new FormatError("value", `Cannot open the ZIP file as ${reason}`, {
    file: source.name,
    key: "/",
  });
}

/** Reads a range as numbers; refuses one that the file does not have. */
async function view(source: ByteSource, at: number, length: number): Promise<DataView> {
  if (at < 0 || at + length > source.size) refuse(source, "it was cut off or is damaged");
  return new DataView((await source.read(at, length)).buffer);
}

/** Where the directory lies and how long it is. */
async function findDirectory(source: ByteSource): Promise<{ at: number; length: number }> {
  const tailLength = Math.min(source.size, 22 + 0xffff);
  const start = source.size - tailLength;
  const tail = await view(source, start, tailLength);
  let end = tailLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) refuse(source, "it has no directory: it was cut off, or is no ZIP file");
  const found = { at: tail.getUint32(end + 16, true), length: tail.getUint32(end + 12, true) };
  if (found.at !== MOST && found.length !== MOST) return found;
  const locator = await view(source, start + end - 20, 20);
  if (locator.getUint32(0, true) !== LOCATOR64) return found;
  const record = await view(source, Number(locator.getBigUint64(8, true)), 56);
  if (record.getUint32(0, true) !== END64) refuse(source, "its ZIP64 record is damaged");
  return {
    at: Number(record.getBigUint64(48, true)),
    length: Number(record.getBigUint64(40, true)),
  };
}

/** The sizes and the place of an entry, out of the ZIP64 field where the plain ones are full. */
function widen(directory: DataView, fields: { at: number; length: number }, plain: Entry): Entry {
  const wide = { ...plain };
  for (let at = fields.at; at + 4 <= fields.at + fields.length;) {
    const [id, length] = [directory.getUint16(at, true), directory.getUint16(at + 2, true)];
    if (id === 1) {
      let next = at + 4;
      const take = () => (next += 8, Number(directory.getBigUint64(next - 8, true)));
      if (plain.size === MOST) wide.size = take();
      if (plain.packed === MOST) wide.packed = take();
      if (plain.at === MOST) wide.at = take();
    }
    at += 4 + length;
  }
  return wide;
}

/** All entries by name. */
async function readDirectory(source: ByteSource): Promise<Map<string, Entry>> {
  const { at: start, length } = await findDirectory(source);
  const directory = await view(source, start, length);
  const bytes = new Uint8Array(directory.buffer);
  const decoder = new TextDecoder();
  const entries = new Map<string, Entry>();
  for (let at = 0; at + 46 <= length;) {
    if (directory.getUint32(at, true) !== CENTRAL) refuse(source, "its directory is damaged");
    const nameLength = directory.getUint16(at + 28, true);
    const extra = { at: at + 46 + nameLength, length: directory.getUint16(at + 30, true) };
    const next = extra.at + extra.length + directory.getUint16(at + 32, true);
    if (next > length) refuse(source, "its directory is damaged");
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const entry: Entry = {
      method: directory.getUint16(at + 10, true),
      packed: directory.getUint32(at + 20, true),
      size: directory.getUint32(at + 24, true),
      at: directory.getUint32(at + 42, true),
      checksum: directory.getUint32(at + 16, true),
    };
    if (!name.endsWith("/")) entries.set(name, widen(directory, extra, entry));
    at = next;
  }
  return entries;
}

/** Where the stored bytes of an entry start. */
async function dataStart(source: ByteSource, entry: Entry): Promise<number> {
  const header = await view(source, entry.at, 30);
  if (header.getUint32(0, true) !== LOCAL) refuse(source, "an entry has no header");
  return entry.at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}

/** Unpacks deflated bytes to the size that the directory names. */
async function inflate(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array> {
  if (size > DENSEST * packed.length + 64) throw new RangeError(`it claims ${size} bytes`);
  const bytes = new Uint8Array(size);
  let filled = 0;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  for await (const piece of stream) {
    if (filled + piece.length > size) throw new RangeError(`it has more than ${size} bytes`);
    bytes.set(piece, filled);
    filled += piece.length;
  }
  if (filled !== size) throw new RangeError(`it has ${filled} bytes of ${size}`);
  return bytes;
}

/** The folder inside the file that holds the hierarchy: the shallowest with metadata. */
function rootFolder(names: Iterable<string>): string {
  const roots = [...names].filter((name) => /(^|\/)(zarr\.json|\.zgroup|\.zarray)$/.test(name))
    .map((name) => name.slice(0, name.lastIndexOf("/") + 1));
  return roots.sort((a, b) => a.split("/").length - b.split("/").length)[0] ?? "";
}

/** A store over a ZIP file; closing it closes the source. */
export async function zipStore(source: ByteSource): Promise<ZarrStore> {
  const all = await readDirectory(source);
  const root = rootFolder(all.keys());
  const entries = new Map(
    [...all].filter(([name]) => name.startsWith(root))
      .map(([name, entry]) => [name.slice(root.length), entry]),
  );
  const folders = foldersOf(entries.keys());
  return {
    name: source.name,
    async get(key, range) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const start = await dataStart(source, entry);
      if (entry.method === 0 && range !== undefined) {
        const { offset, length } = resolveRange(range, entry.packed, key);
        return await source.read(start + offset, length);
      }
      const bytes = await unpack(source, key, { ...entry, at: start });
      if (range === undefined) return bytes;
      const { offset, length } = resolveRange(range, bytes.length, key);
      return bytes.subarray(offset, offset + length);
    },
    list: (folder) => Promise.resolve([...folders.get(folder) ?? []]),
    close: () => source[Symbol.dispose](),
  };
}

/** Reads, unpacks and checks a whole entry; `at` is the start of its bytes. */
async function unpack(source: ByteSource, key: string, entry: Entry): Promise<Uint8Array> {
  if (entry.method !== 0 && entry.method !== 8) {
    throw new FormatError(
      "missing-filter",
      `Cannot read the entry as ZIP method ${entry.method} is not available here`,
      { file: source.name, key },
    );
  }
  const packed = await source.read(entry.at, entry.packed);
  try {
    const bytes = entry.method === 0 ? packed : await inflate(packed, entry.size);
    if (crc32(bytes) === entry.checksum) return bytes;
    throw new RangeError("its checksum does not fit");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new FormatError("value", `Cannot unpack the entry as it is damaged: ${reason}`, {
      file: source.name,
      key,
      cause,
    });
  }
}
