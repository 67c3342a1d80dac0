/** Messages of object headers as they are written: HDF5 File Format Specification, IV.A.2. */
import type { Dtype, NumericDtype } from "../storage.ts";
import { BytesOut } from "./bytes_out.ts";
import { MESSAGE, type Message } from "./object_header.ts";
import { REFERENCE_BYTES } from "./text_heap.ts";

/** The most bytes of a message: its length has 16 bits. */
const MOST_BYTES = 65_535;

function message(type: number, out: BytesOut): Message {
  return { type, bytes: out.finish(), shared: false };
}

/** Bytes of an element of a numeric type as it is written: float16 is widened. */
export function bytesOf(name: NumericDtype): number {
  return name === "float16" ? 4 : Number(name.replace(/\D+/, "")) / 8;
}

/** Bytes of an element as it is written. */
export function sizeOf(dtype: Dtype): number {
  switch (dtype.kind) {
    case "numeric":
      return bytesOf(dtype.name);
    case "bool":
      return 1;
    case "string":
      return REFERENCE_BYTES;
    case "struct":
      return dtype.fields.reduce((sum, field) => sum + sizeOf(field.dtype), 0);
    case "unsupported":
      throw new TypeError(`Cannot write elements of type ${dtype.name}`);
  }
}

/** Class and version, class bits, size: how every type begins. */
function head(kind: number, bits: readonly [number, number, number], size: number): BytesOut {
  return new BytesOut().u8(kind, ...bits).u32(size);
}

function integer(size: number, signed: boolean): BytesOut {
  return head(0x10, [signed ? 8 : 0, 0, 0], size).u16(0).u16(8 * size);
}

/** IEEE's numbers: places and widths of sign, exponent and fraction, and the exponent's bias. */
function float(size: number): BytesOut {
  const [sign, exponent, fraction, bias] = size === 4 ? [31, 8, 23, 127] : [63, 11, 52, 1023];
  return head(0x11, [0x20, sign!, 0], size).u16(0).u16(8 * size)
    .u8(fraction!, exponent!, 0, fraction!).u32(bias!);
}

/** h5py's booleans: an enumeration of one byte with FALSE = 0 and TRUE = 1. */
function boolean(): BytesOut {
  return head(0x18, [2, 0, 0], 1).bytes(integer(1, true).finish())
    .letters("FALSE\0\0\0").letters("TRUE\0\0\0\0") // names are padded to 8 bytes
    .u8(0, 1);
}

/** UTF-8 texts of any length: a sequence of bytes in a heap. */
function text(): BytesOut {
  return head(0x19, [1, 1, 0], REFERENCE_BYTES).bytes(integer(1, false).finish());
}

/** Fields one after the other without gaps. */
function struct(dtype: Extract<Dtype, { kind: "struct" }>): BytesOut {
  const size = sizeOf(dtype);
  const out = head(0x36, [dtype.fields.length & 255, dtype.fields.length >> 8, 0], size);
  const width = Math.floor(Math.log2(size) / 8) + 1;
  let offset = 0;
  for (const { name, dtype: field } of dtype.fields) {
    out.letters(name).u8(0);
    for (let k = 0; k < width; k++) out.u8((offset >>> (8 * k)) & 255);
    out.bytes(datatype(field).finish());
    offset += sizeOf(field);
  }
  return out;
}

function datatype(dtype: Dtype): BytesOut {
  switch (dtype.kind) {
    case "numeric": {
      const size = bytesOf(dtype.name);
      return dtype.name.startsWith("float")
        ? float(size)
        : integer(size, dtype.name.startsWith("int"));
    }
    case "bool":
      return boolean();
    case "string":
      return text();
    case "struct":
      return struct(dtype);
    case "unsupported":
      throw new TypeError(`Cannot write elements of type ${dtype.name}`);
  }
}

function dataspace(shape: readonly number[], maxShape?: readonly number[]): BytesOut {
  const out = new BytesOut().u8(2, shape.length, maxShape ? 1 : 0, shape.length === 0 ? 0 : 1);
  for (const length of [...shape, ...maxShape ?? []]) out.u64(length);
  return out;
}

/** Where the elements of an array are: all in one place, or in chunks that a tree names. */
export type WrittenLayout =
  | { readonly kind: "contiguous"; readonly address: number | undefined; readonly length: number }
  | {
    readonly kind: "chunked";
    readonly tree: number | undefined;
    readonly chunk: readonly number[];
    readonly gzip: boolean;
  };

/** What is known of an array when its header is written. */
export interface WrittenArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Infinity for an axis without limit; undefined where no axis may grow. */
  readonly maxShape?: readonly number[];
  readonly layout: WrittenLayout;
}

/** zlib's level, that of h5py. */
export const GZIP_LEVEL = 4;

/** The messages that describe an array. */
export function arrayMessages({ dtype, shape, maxShape, layout }: WrittenArray): Message[] {
  const messages = [
    message(MESSAGE.dataspace, dataspace(shape, maxShape)),
    message(MESSAGE.datatype, datatype(dtype)),
    // No value is set, zeros stand for it; memory of chunks is taken as they are written.
    message(MESSAGE.fill, new BytesOut().u8(3, layout.kind === "chunked" ? 0x0b : 0x0a)),
  ];
  if (layout.kind === "contiguous") {
    const out = new BytesOut().u8(3, 1).u64(layout.address).u64(layout.length);
    return [...messages, message(MESSAGE.layout, out)];
  }
  const out = new BytesOut().u8(3, 2, layout.chunk.length + 1).u64(layout.tree);
  for (const length of [...layout.chunk, sizeOf(dtype)]) out.u32(length);
  messages.push(message(MESSAGE.layout, out));
  if (!layout.gzip) return messages;
  const filters = new BytesOut().u8(2, 1).u16(1).u16(1).u16(1).u32(GZIP_LEVEL);
  return [...messages, message(MESSAGE.filters, filters)];
}

/** The messages that make a group of names and where they lead. */
export function groupMessages(links: ReadonlyMap<string, number>): Message[] {
  const info = new BytesOut().u8(0, 0).u64(undefined).u64(undefined);
  const messages = [message(MESSAGE.linkInfo, info), message(0x0a, new BytesOut().u8(0, 0))];
  for (const [name, address] of links) {
    const bytes = new TextEncoder().encode(name);
    const wide = bytes.length > 255;
    const out = new BytesOut().u8(1, 0x10 | (wide ? 1 : 0), 1); // a hard link, named in UTF-8
    if (wide) out.u16(bytes.length);
    else out.u8(bytes.length);
    messages.push(message(MESSAGE.link, out.bytes(bytes).u64(address)));
  }
  return messages;
}

/**
 * An attribute.
 *
 * @param data Its elements as they are stored.
 * @throws {RangeError} Where it does not fit into a header.
 */
export function attributeMessage(
  name: string,
  value: { readonly dtype: Dtype; readonly shape: readonly number[]; readonly data: Uint8Array },
): Message {
  const label = new TextEncoder().encode(`${name}\0`);
  const [type, space] = [datatype(value.dtype).finish(), dataspace(value.shape).finish()];
  const out = new BytesOut().u8(3, 0).u16(label.length).u16(type.length).u16(space.length).u8(1)
    .bytes(label).bytes(type).bytes(space).bytes(value.data);
  if (out.length <= MOST_BYTES) return message(MESSAGE.attribute, out);
  throw new RangeError(
    `Cannot write the attribute ${name} as HDF5's attributes have at most ${MOST_BYTES} bytes: it takes ${out.length}`,
  );
}

/** The object header that holds messages. */
export function headerOf(messages: readonly Message[]): Uint8Array<ArrayBuffer> {
  const body = new BytesOut();
  for (const { type, bytes } of messages) body.u8(type).u16(bytes.length).u8(0).bytes(bytes);
  return new BytesOut().letters("OHDR").u8(2, 2).u32(body.length).bytes(body.finish()).checksum()
    .finish();
}
