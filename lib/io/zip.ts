/** The part of the zip format that `torch.save` uses: stored entries, found through the central directory, zip64 included. */
import type { ByteSource } from "../../data/mod.ts";
import { CheckpointError } from "./errors.ts";

/** A stored (uncompressed) file of a zip archive. */
export interface ZipEntry {
  /** Path in the archive. */
  readonly name: string;
  /** Bytes of its contents. */
  readonly size: number;
  /** Reads a part of its contents; the checksum is not computed. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

const END = 0x06054b50, END64 = 0x06064b50, END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50, LOCAL = 0x04034b50;
const END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20, CENTRAL_BYTES = 46, LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;
/** A central directory of 256 MiB would be two million tensors. */
const MAX_DIRECTORY = 2 ** 28;

/**
 * Reads the directory of a zip archive.
 *
 * @param source Bytes of the archive; must stay open while entries are read
 * @returns Entries by name
 * @throws {CheckpointError} When the archive is damaged or truncated, or an entry is compressed or encrypted
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, length, count } = await findDirectory(source);
  if (length > MAX_DIRECTORY || offset + length > source.size) {
    fail(source, "must hold its whole central directory", `${length} bytes at ${offset}`);
  }
  const bytes = await source.read(offset, length);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = parseEntry(source, bytes, at);
    if (entries.has(entry.name)) fail(source, "must hold each file once", `two of ${entry.name}`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

/** The end record is the last thing in the file but for a comment, so it is searched from behind. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailStart = Math.max(0, source.size - END_BYTES - MAX_COMMENT);
  const tail = viewOf(await source.read(tailStart, source.size - tailStart));
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    const length = tail.getUint32(at + 12, true), offset = tail.getUint32(at + 16, true);
    const count = tail.getUint16(at + 10, true);
    if (offset !== 0xffffffff && length !== 0xffffffff && count !== 0xffff) {
      return { offset, length, count };
    }
    return await findDirectory64(source, tailStart + at);
  }
  return fail(source, "must end with a zip directory (is it truncated?)", `${source.size} bytes`);
}

async function findDirectory64(source: ByteSource, endAt: number): Promise<Directory> {
  const locatorAt = endAt - LOCATOR_BYTES;
  if (locatorAt < 0) fail(source, "must hold a zip64 locator", "no room for it");
  const locator = viewOf(await source.read(locatorAt, LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== END64_LOCATOR) {
    fail(source, "must hold a zip64 locator", "another record");
  }
  const at = safe(source, locator.getBigUint64(8, true));
  if (at + END64_BYTES > source.size) fail(source, "must hold a zip64 end record", `offset ${at}`);
  const end = viewOf(await source.read(at, END64_BYTES));
  if (end.getUint32(0, true) !== END64) {
    fail(source, "must hold a zip64 end record", "another record");
  }
  return {
    count: safe(source, end.getBigUint64(32, true)),
    length: safe(source, end.getBigUint64(40, true)),
    offset: safe(source, end.getBigUint64(48, true)),
  };
}

function parseEntry(
  source: ByteSource,
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
): { entry: ZipEntry; next: number } {
  const view = viewOf(bytes);
  if (at + CENTRAL_BYTES > bytes.length || view.getUint32(at, true) !== CENTRAL) {
    fail(source, "must hold a directory entry", `other bytes at ${at} of the directory`);
  }
  const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) fail(source, "must hold whole directory entries", `one cut at ${at}`);
  const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, nameEnd));

  const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
  if ((flags & 1) !== 0 || method !== 0) {
    const form = method === 0 ? "encrypted" : `compression method ${method}`;
    throw new CheckpointError(
      "unsupported",
      `Cannot read ${source.name} as torch.save stores its files as they are: got ${form} for ${name}`,
    );
  }
  const wide = wideFields(view, nameEnd, extraEnd);
  const narrowOrWide = (field: number) => {
    const narrow = view.getUint32(at + field, true);
    return narrow === 0xffffffff ? safe(source, wide.shift()) : narrow;
  };
  // The order of the wide fields is uncompressed size, compressed size, offset.
  const size = narrowOrWide(24), stored = narrowOrWide(20), localAt = narrowOrWide(42);
  if (stored !== size || localAt + LOCAL_BYTES + size > source.size) {
    fail(source, `must hold all of ${name}`, `${size} bytes at ${localAt}`);
  }
  return { entry: storedEntry(source, { name, size, localAt }), next };
}

/** The 64-bit numbers of the zip64 extra field (id 1), in their order. */
function wideFields(view: DataView, begin: number, end: number): bigint[] {
  for (let at = begin; at + 4 <= end;) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      const words = Math.floor(Math.min(length, end - at - 4) / 8);
      return Array.from({ length: words }, (_, i) => view.getBigUint64(at + 4 + 8 * i, true));
    }
    at += 4 + length;
  }
  return [];
}

function storedEntry(
  source: ByteSource,
  { name, size, localAt }: { name: string; size: number; localAt: number },
): ZipEntry {
  let dataAt: Promise<number> | undefined;
  // The local header repeats name and extra field with lengths of its own, so the data's place needs a look at it.
  const locate = async () => {
    const local = viewOf(await source.read(localAt, LOCAL_BYTES));
    if (local.getUint32(0, true) !== LOCAL) {
      fail(source, `must hold ${name}`, `other bytes at ${localAt}`);
    }
    const at = localAt + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    return at + size <= source.size
      ? at
      : fail(source, `must hold all of ${name}`, `${source.size} bytes`);
  };
  const read = async (offset: number, length: number) => {
    if (offset < 0 || length < 0 || offset + length > size) {
      fail(source, `must have ${name} hold bytes ${offset} to ${offset + length}`, `${size} bytes`);
    }
    return source.read(await (dataAt ??= locate()) + offset, length);
  };
  return { name, size, read };
}

function safe(source: ByteSource, value: bigint | undefined): number {
  if (value !== undefined && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  return fail(source, "must have sizes of a file", value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(source: ByteSource, rule: string, got: unknown): never {
  throw new CheckpointError(
    "format",
    `Cannot read ${source.name} as a zip file ${rule}: got ${got}`,
  );
}
