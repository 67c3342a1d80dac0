/** Encoding of chunks: numbers, texts, structured rows; compression. */
import type { ArrayData, Dtype, NumericDtype, RawArray, StructField } from "../storage.ts";
import type { Json, ZarrFormat } from "./hierarchy.ts";

/** How chunks are compressed. */
export type ZarrCompression = "zstd" | "blosc" | "gzip" | "none";

/** Compresses bytes. */
export type Compress = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

/** Names that may be given. */
export const COMPRESSIONS: readonly ZarrCompression[] = ["zstd", "blosc", "gzip", "none"];

// Level 1 of zstd packs cells smaller than Blosc's LZ4 and takes less time in WebAssembly.
const ZSTD = { level: 1 };
const BLOSC = { cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 };
const GZIP = { level: 6 };

/** Compresses as gzip, which the platform has. */
async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Loads what compresses. */
export async function loadCompressor(compression: ZarrCompression): Promise<Compress> {
  if (compression === "none") return (bytes) => Promise.resolve(bytes);
  if (compression === "gzip") return gzip;
  const codec = compression === "zstd"
    ? (await import("numcodecs/zstd")).default.fromConfig({ id: "zstd", ...ZSTD })
    : (await import("numcodecs/blosc")).default.fromConfig({ id: "blosc", ...BLOSC });
  return async (bytes) => await codec.encode(bytes) as Uint8Array<ArrayBuffer>;
}

/** The compressor in version 2's metadata. */
export function compressorV2(compression: ZarrCompression): Json | null {
  if (compression === "none") return null;
  return { id: compression, ...{ zstd: ZSTD, blosc: BLOSC, gzip: GZIP }[compression] };
}

/** The compressing codecs in version 3's metadata. */
export function compressorsV3(compression: ZarrCompression, itemBytes: number): Json[] {
  if (compression === "none") return [];
  if (compression === "gzip") return [{ name: "gzip", configuration: GZIP }];
  if (compression === "zstd") {
    return [{ name: "zstd", configuration: { ...ZSTD, checksum: false } }];
  }
  const configuration = { ...BLOSC, shuffle: "shuffle", typesize: itemBytes };
  return [{ name: "blosc", configuration }];
}

/** Texts, each after its length in bytes: numcodecs' vlen-utf8. */
export function encodeTexts(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const length = encoded.reduce((sum, bytes) => sum + bytes.length + 4, 4);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, texts.length, true);
  let at = 4;
  for (const text of encoded) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/** Half precision out of the single that holds it. */
export function halfFloats(values: RawArray): Uint16Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  for (let k = 0; k < values.length; k++) view.setFloat16(2 * k, Number(values[k]), true);
  return new Uint16Array(view.buffer);
}

/** Bytes of an element. */
export function itemBytes(name: NumericDtype): number {
  return Number(name.replace(/\D+/, "")) / 8;
}

/** Version 2's name of a number: "<f4". */
function nameV2(name: NumericDtype): string {
  const kind = name.startsWith("float") ? "f" : name.startsWith("uint") ? "u" : "i";
  const bytes = itemBytes(name);
  return `${bytes === 1 ? "|" : "<"}${kind}${bytes}`;
}

/** The widest of some texts, in characters; numpy has no texts of none. */
function widthOf(texts: readonly string[]): number {
  return Math.max(1, ...texts.map((text) => [...text].length));
}

/** Type of a field of structured rows; texts are as wide as the widest. */
function fieldType({ dtype }: StructField, data: ArrayData, format: ZarrFormat): unknown {
  if (dtype.kind === "numeric") return format === 2 ? nameV2(dtype.name) : dtype.name;
  if (dtype.kind === "bool") return format === 2 ? "|b1" : "bool";
  const width = widthOf(data as string[]);
  if (format === 2) return `<U${width}`;
  return { name: "fixed_length_utf32", configuration: { length_bytes: 4 * width } };
}

/** The data type in the metadata. */
export function dataType(dtype: Dtype, data: ArrayData | undefined, format: ZarrFormat): unknown {
  if (dtype.kind === "bool") return format === 2 ? "|b1" : "bool";
  if (dtype.kind === "string") return format === 2 ? "|O" : "string";
  if (dtype.kind === "numeric") return format === 2 ? nameV2(dtype.name) : dtype.name;
  if (dtype.kind !== "struct") throw new TypeError(`Cannot write elements of type ${dtype.kind}`);
  const values = (data as { fields: ReadonlyMap<string, ArrayData> }).fields;
  const fields = dtype.fields.map((
    field,
  ) => [field.name, fieldType(field, values.get(field.name)!, format)]);
  return format === 2 ? fields : { name: "structured", configuration: { fields } };
}

/** The fill value in the metadata: zero, false or no text; of structured rows, their bytes in base64. */
export function fillValue({ kind }: Dtype, itemBytes: number): unknown {
  if (kind === "string") return "";
  if (kind === "bool") return false;
  return kind === "struct" ? btoa("\0".repeat(itemBytes)) : 0;
}

/** One field's values as bytes of equal length. */
function fieldBytes({ dtype }: StructField, data: ArrayData): { bytes: Uint8Array; size: number } {
  if (dtype.kind === "numeric" && dtype.name === "float16") data = halfFloats(data as RawArray);
  if (!Array.isArray(data)) {
    const values = data as RawArray;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { bytes, size: values.BYTES_PER_ELEMENT };
  }
  const width = widthOf(data);
  const points = new Uint32Array(data.length * width);
  data.forEach((text, row) => {
    [...text].forEach((character, k) => points[row * width + k] = character.codePointAt(0)!);
  });
  return { bytes: new Uint8Array(points.buffer), size: 4 * width };
}

/** Structured rows, packed without gaps. */
export function packStruct(
  fields: readonly StructField[],
  data: ReadonlyMap<string, ArrayData>,
): { bytes: Uint8Array<ArrayBuffer>; size: number } {
  const packed = fields.map((field) => fieldBytes(field, data.get(field.name)!));
  const size = packed.reduce((sum, field) => sum + field.size, 0);
  const rows = packed.length === 0 ? 0 : packed[0]!.bytes.length / packed[0]!.size;
  const bytes = new Uint8Array(rows * size);
  let offset = 0;
  for (const field of packed) {
    for (let row = 0; row < rows; row++) {
      const value = field.bytes.subarray(row * field.size, (row + 1) * field.size);
      bytes.set(value, row * size + offset);
    }
    offset += field.size;
  }
  return { bytes, size };
}
