/** Checksums of chunks, which are compared. */
import { type ByteReader, corrupt } from "../bytes.ts";
import { md5 } from "./md5.ts";

type Algorithm = "MD5" | "SHA-256";

/** A checksum and the number of bytes that it is of. */
interface Sum {
  readonly length: number;
  readonly digest: Uint8Array;
}

/** Passes the data on after comparing their checksums; throws `FormatError` where one differs. */
export async function checkSums(
  data: Uint8Array,
  notes: ByteReader,
  algorithm: Algorithm,
): Promise<Uint8Array> {
  const width = algorithm === "MD5" ? 16 : 32;
  const [ofNotes, ofData] = [notes.u32(), notes.u32()];
  notes.count(ofNotes + ofData, 8 + width);
  const read = (count: number): Sum[] =>
    Array.from({ length: count }, () => ({ length: notes.u64(), digest: notes.bytes(width) }));
  const [noteSums, dataSums] = [read(ofNotes), read(ofData)];
  const rest = notes.peek();
  await compare(rest, noteSums, { algorithm, notes });
  await compare(data, dataSums, { algorithm, notes });
  return data;
}

async function compare(
  bytes: Uint8Array,
  sums: readonly Sum[],
  { algorithm, notes }: { readonly algorithm: Algorithm; readonly notes: ByteReader },
): Promise<void> {
  let at = 0;
  for (const { length, digest } of sums) {
    const part = bytes.subarray(at, at + length);
    const found = algorithm === "MD5"
      ? md5(part)
      : new Uint8Array(await crypto.subtle.digest(algorithm, new Uint8Array(part)));
    if (found.some((byte, k) => byte !== digest[k])) {
      throw corrupt(`Cannot unpack a chunk as its ${algorithm} checksum differs`, notes.place);
    }
    at += length;
  }
}
