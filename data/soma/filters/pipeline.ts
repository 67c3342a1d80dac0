/** The filters of a field as its schema lists them. */
import type { ByteReader } from "../bytes.ts";
import { ANY_CODE, type Datatype, datatypeOf } from "../datatype.ts";

/** Names of the filters by their number in files. */
const NAMES = {
  0: "none",
  1: "gzip",
  2: "zstd",
  3: "lz4",
  4: "rle",
  5: "bzip2",
  6: "double_delta",
  7: "bit_width_reduction",
  8: "bitshuffle",
  9: "byteshuffle",
  10: "positive_delta",
  11: "aes_256_gcm",
  12: "checksum_md5",
  13: "checksum_sha256",
  14: "dictionary",
  15: "float_scale",
  16: "xor",
  18: "webp",
  19: "delta",
} as const;

/** Name of a filter. */
export type FilterName = (typeof NAMES)[keyof typeof NAMES];

/** A filter with its options. */
export interface Filter {
  /** Its name; the number, where it is none that is known. */
  readonly name: FilterName | `filter ${number}`;
  /** Element type as which the delta filters read; that of the field unless given. */
  readonly reinterpret?: Datatype;
  /** Options of the float scale filter. */
  readonly scaling?: { readonly factor: number; readonly offset: number; readonly width: number };
}

const COMPRESSORS = new Set([
  "gzip",
  "zstd",
  "lz4",
  "rle",
  "bzip2",
  "double_delta",
  "dictionary",
  "delta",
]);

/** First format version whose options name an element type. */
const REINTERPRETS: Readonly<Record<string, number>> = { double_delta: 20, delta: 19 };

/** Reads a filter pipeline; a filter that cannot be run is an error only when data pass it. */
export function readPipeline(reader: ByteReader, version: number): readonly Filter[] {
  reader.u32(); // the largest chunk, which matters to writers
  const count = reader.count(reader.u32(), 5);
  return Array.from({ length: count }, () => readFilter(reader, version));
}

function readFilter(reader: ByteReader, version: number): Filter {
  const number = reader.u8();
  const name = NAMES[number as keyof typeof NAMES] ?? `filter ${number}` as const;
  const end = reader.u32() + reader.at;
  let filter: Filter = { name };
  if (COMPRESSORS.has(name)) {
    reader.u8(); // the compressor, which the filter's number has said
    reader.i32(); // the level, which matters to writers
    const code = version >= (REINTERPRETS[name] ?? Infinity) ? reader.u8() : ANY_CODE;
    if (code !== ANY_CODE) filter = { name, reinterpret: datatypeOf(code, reader.place) };
  } else if (name === "float_scale") {
    filter = { name, scaling: { factor: reader.f64(), offset: reader.f64(), width: reader.u64() } };
  }
  if (end < reader.at) throw reader.error(`the options of ${name} are longer than they say`);
  reader.bytes(end - reader.at);
  return filter;
}
