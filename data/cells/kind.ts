/** What kind of file a source is, by its bytes. */
import { openSource } from "../source.ts";
import { textKind } from "../text/mod.ts";

/** What can be read, for messages. */
export const READABLE = "h5ad, h5mu and Cell Ranger's h5 (HDF5); zarr (a folder or a ZIP file); " +
  "matrix.mtx with barcodes.tsv and features.tsv or genes.tsv; CSV and TSV tables; text may be gzip";

/** Kinds of files. */
export type FileKind = "hdf5" | "zip" | "matrix-market" | "table";

const HDF5 = "\x89HDF\r\n\x1a\n";
const ZIP = "PK\x03\x04";

/** Places where HDF5's signature is looked for: at the start and behind user blocks. */
const SIGNATURES = [0, 512, 1024, 2048];

/** Whether a text stands at a place of the bytes. */
function hasAt(bytes: Uint8Array, at: number, text: string): boolean {
  return bytes.length >= at + text.length &&
    [...text].every((character, k) => bytes[at + k] === character.charCodeAt(0));
}

/** First bytes as words or numbers, for messages. */
function describeHead(head: Uint8Array): string {
  if (head.length === 0) return "it is empty";
  const [text = ""] = new TextDecoder().decode(head.subarray(0, 40)).split(/\r?\n/);
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (text !== "" && !/[\x00-\x1f\ufffd]/.test(text)) {
    return `it begins with ${JSON.stringify(text)}`;
  }
  const bytes = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0"));
  return `it begins with the bytes ${bytes.join(" ")}`;
}

/** Kind of a file by its first bytes; throws `RangeError` listing what can be read where it is none of that. */
export async function fileKind(from: string | URL | Blob | Uint8Array): Promise<FileKind> {
  using source = await openSource(from);
  const start = await source.read(0, Math.min(4096, source.size));
  if (SIGNATURES.some((at) => hasAt(start, at, HDF5))) return "hdf5";
  if (hasAt(start, 0, ZIP)) return "zip";
  const { kind, head } = await textKind(from);
  if (kind !== undefined) return kind;
  throw new RangeError(
    `Cannot open ${source.name} as it must be one of these: ${READABLE}; ${describeHead(head)}`,
  );
}
