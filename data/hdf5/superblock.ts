/** The superblock: HDF5 File Format Specification, II.A. It says how wide addresses are and where the root group is. */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "../source.ts";
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import { Pages } from "./pages.ts";

const SIGNATURE = "\x89HDF\r\n\x1a\n";

/** The longest superblock. */
const LONGEST = 128;

/** A file as everything else reads it. */
export interface Hdf5Bytes {
  /** Path or address, for messages. */
  readonly name: string;
  /** Bytes of an address. */
  readonly offsetBytes: number;
  /** Bytes of a length. */
  readonly lengthBytes: number;
  /** Header of the root group. */
  readonly root: number;
  /** Reads bytes at an address. */
  read(address: number, length: number): Promise<Uint8Array>;
  /** Fills `target` with the bytes at an address. */
  readInto(address: number, target: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Where the signature of HDF5 lies: at 0, 512, 1024, 2048, ... */
async function findSuperblock(pages: Pages): Promise<number | undefined> {
  for (let at = 0; at + SIGNATURE.length <= pages.size; at = at === 0 ? 512 : at * 2) {
    const bytes = await pages.read(at, SIGNATURE.length);
    if (String.fromCharCode(...bytes) === SIGNATURE) return at;
  }
  return undefined;
}

/** Widths, end of the file and root group out of the bytes of a superblock. */
function parseSuperblock(
  bytes: Uint8Array,
): { offsetBytes: number; lengthBytes: number; end: number; root: number } {
  const fields = new Fields(bytes);
  fields.skip(SIGNATURE.length);
  const version = fields.version([0, 1, 2, 3], "the superblock");
  if (version < 2) fields.skip(4);
  const [offsetBytes, lengthBytes] = [fields.u8(), fields.u8()];
  for (const width of [offsetBytes, lengthBytes]) {
    if (![2, 4, 8].includes(width)) throw new Damage(`addresses cannot have ${width} bytes`);
  }
  fields.skip(version === 0 ? 9 : version === 1 ? 13 : 1);
  fields.skip(2 * offsetBytes); // base and free space, or base and extension
  const end = fields.uint(offsetBytes);
  if (version < 2) fields.skip(2 * offsetBytes); // driver, and the name of the root's entry
  const root = fields.address(offsetBytes);
  if (root === undefined) throw new Damage("there is no root group");
  if (version >= 2) checkSum(bytes.subarray(0, fields.at + 4), "the superblock");
  return { offsetBytes, lengthBytes, end, root };
}

/**
 * Opens a file of bytes.
 *
 * @throws {FormatError} "not-hdf5" where there is no superblock that is known, "truncated" where the file is shorter than it says.
 */
export async function openBytes(source: ByteSource, name: string): Promise<Hdf5Bytes> {
  const place = { file: name, key: "/" };
  const pages = new Pages(source);
  const base = await findSuperblock(pages);
  if (base === undefined) {
    const reason = "Cannot open the file as it must be HDF5: it has no signature";
    throw new FormatError("not-hdf5", reason, place);
  }
  const bytes = await pages.read(base, Math.min(LONGEST, pages.size - base));
  try {
    const { end, ...rest } = parseSuperblock(bytes);
    if (end > pages.size) throw cutOff(pages.size, end, place);
    return {
      ...rest,
      name,
      read: (address, length) => pages.read(base + address, length),
      readInto: (address, target) => pages.readInto(base + address, target),
    };
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    if (bytes.length < LONGEST) throw cutOff(pages.size, Infinity, place);
    const reason = `Cannot open the file as its superblock must be one of HDF5: ${cause.message}`;
    throw new FormatError("not-hdf5", reason, { ...place, cause });
  }
}

function cutOff(size: number, claimed: number, place: { file: string; key: string }): FormatError {
  const of = Number.isFinite(claimed) ? ` of ${claimed}` : "";
  const reason = `Cannot open the file as it was cut off: it has ${size} bytes${of}`;
  return new FormatError("truncated", reason, place);
}
