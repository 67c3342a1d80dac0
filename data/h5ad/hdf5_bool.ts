/**
 * h5wasm cannot write h5py's booleans (an enumeration). They are written as a compound type of the same size, and once
 * the file is closed its type description is replaced by the enumeration's, which is shorter. File format:
 * https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, "Datatype Message".
 */
import { FormatError } from "../errors.ts";
import { headerMessages, MESSAGE, type ReadBytes } from "./hdf5_header.ts";
import { type H5Module, H5T, type H5Type } from "./hdf5_types.ts";

const COMPOUND_V1 = 0x16;

/** The stand-in: one signed byte in a compound whose description has room for the enumeration's 38 bytes. */
export const BOOL_STAND_IN: Partial<H5Type> = {
  type: H5T.compound,
  size: 1,
  compound_type: {
    nmembers: 1,
    members: [{
      name: "boolean",
      offset: 0,
      type: H5T.integer,
      size: 1,
      signed: true,
      vlen: false,
      littleEndian: true,
      chunks: null,
      maxshape: null,
      shape: [],
      total_size: 1,
    }],
  },
};

/** Description of an enumeration of int8 with FALSE = 0 and TRUE = 1, in version 1 of the encoding. */
function enumMessage(): Uint8Array {
  const bytes = new Uint8Array(38);
  bytes.set([0x18, 2, 0, 0, 1, 0, 0, 0], 0); // version 1, class 8; 2 members; 1 byte
  bytes.set([0x10, 0x08, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0], 8); // version 1, class 0; signed; 8 bits from bit 0
  bytes.set(new TextEncoder().encode("FALSE"), 20);
  bytes.set(new TextEncoder().encode("TRUE"), 28);
  bytes.set([0, 1], 36);
  return bytes;
}

/** Random access to the bytes of a file. */
interface Bytes {
  readonly read: ReadBytes;
  write(at: number, bytes: Uint8Array): void;
}

/** Replaces the type of one data set; returns whether it was found. */
function patchHeader(file: Bytes, header: number): boolean {
  const message = enumMessage();
  for (const { type, at, length } of headerMessages(file.read, header)) {
    if (
      type !== MESSAGE.datatype || length < message.length ||
      file.read(at, 1).getUint8(0) !== COMPOUND_V1
    ) continue;
    const bytes = new Uint8Array(length);
    bytes.set(message);
    file.write(at, bytes);
    return true;
  }
  return false;
}

/**
 * Turns data sets that were written with {@linkcode BOOL_STAND_IN} into booleans.
 *
 * @param module The library whose file system holds the file.
 * @param path The closed file.
 * @param headers Address of each data set's object header, by key.
 * @throws {FormatError} Where a header is not of the expected layout.
 */
export function patchBooleans(
  module: H5Module,
  path: string,
  headers: ReadonlyMap<string, number>,
): void {
  if (headers.size === 0) return;
  const { FS } = module;
  const stream = FS.open(path, "r+");
  const file: Bytes = {
    read(at, length) {
      const bytes = new Uint8Array(length);
      FS.read(stream, bytes, 0, length, at);
      return new DataView(bytes.buffer);
    },
    write: (at, bytes) => void FS.write(stream, bytes, 0, bytes.length, at),
  };
  try {
    for (const [key, header] of headers) {
      if (patchHeader(file, header)) continue;
      throw new FormatError(
        "encoding",
        "Cannot write truth values as the header is of another layout",
        {
          file: path,
          key,
        },
      );
    }
  } finally {
    FS.close(stream);
  }
}
