/** The messages that describe a data set: HDF5 File Format Specification, IV.A.2. */
import { Damage, Fields, Unread } from "./fields.ts";
import type { Filter } from "./filters.ts";
import type { Hdf5Bytes } from "./superblock.ts";

type Widths = Pick<Hdf5Bytes, "offsetBytes" | "lengthBytes">;

/** Lengths of the axes, none for a scalar, and how long they may become; null where there are no elements at all. */
export interface Dataspace {
  readonly shape: readonly number[];
  /** Infinity for an axis without limit. */
  readonly maxShape: readonly number[];
}

/** The axes of a data set or attribute. */
export function parseDataspace(bytes: Uint8Array, { lengthBytes }: Widths): Dataspace | null {
  const fields = new Fields(bytes);
  const version = fields.version([1, 2], "a dataspace");
  const rank = fields.u8();
  const flags = fields.u8();
  const kind = fields.u8();
  if (version === 1) fields.skip(4);
  if (version === 2 && kind === 2) return null;
  if (rank > 32) throw new Damage(`an array cannot have ${rank} axes`);
  const shape = Array.from({ length: rank }, () => fields.uint(lengthBytes));
  if ((flags & 1) === 0) return { shape, maxShape: shape };
  return { shape, maxShape: shape.map(() => fields.address(lengthBytes) ?? Infinity) };
}

/** How chunks are found. */
export type ChunkIndex =
  | { readonly kind: "tree 1" }
  | { readonly kind: "single"; readonly size: number | undefined; readonly mask: number }
  | { readonly kind: "implicit" }
  | { readonly kind: "fixed" }
  | { readonly kind: "extensible" }
  | { readonly kind: "tree 2" };

/** Where the elements are. */
export type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  | { readonly kind: "contiguous"; readonly address: number | undefined }
  | {
    readonly kind: "chunked";
    readonly address: number | undefined;
    /** Lengths of a chunk's axes. */
    readonly chunk: readonly number[];
    readonly index: ChunkIndex;
    /** Whether chunks at the border that reach beyond it are not filtered. */
    readonly plainBorder: boolean;
    /** Bytes that a chunk's stored size takes in the index; undefined where they follow from the chunk's. */
    readonly sizeBytes: number | undefined;
  };

/** The layout of versions 1 and 2. */
function oldLayout(fields: Fields, { offsetBytes }: Widths): Layout {
  const rank = fields.u8();
  const kind = fields.u8();
  fields.skip(5);
  const address = kind === 0 ? undefined : fields.address(offsetBytes);
  const dims = Array.from({ length: rank }, () => fields.u32());
  if (kind === 0) return { kind: "compact", bytes: fields.bytes(fields.u32()) };
  if (kind === 1) return { kind: "contiguous", address };
  return chunked({ address, chunk: dims.slice(0, -1), index: { kind: "tree 1" } });
}

type Chunked = Extract<Layout, { kind: "chunked" }>;

function chunked(parts: Pick<Chunked, "address" | "chunk" | "index"> & Partial<Chunked>): Layout {
  if (parts.chunk.length === 0 || parts.chunk.includes(0)) {
    throw new Damage("a chunk has no elements");
  }
  return { kind: "chunked", plainBorder: false, sizeBytes: undefined, ...parts };
}

/** How chunks are found in version 4. */
function parseIndex(fields: Fields, filtered: boolean, { lengthBytes }: Widths): ChunkIndex {
  const kind = fields.u8();
  switch (kind) {
    case 1: {
      const size = filtered ? fields.uint(lengthBytes) : undefined;
      return { kind: "single", size, mask: filtered ? fields.u32() : 0 };
    }
    case 2:
      return { kind: "implicit" };
    case 3:
      fields.skip(1);
      return { kind: "fixed" };
    case 4:
      fields.skip(5);
      return { kind: "extensible" };
    case 5:
      fields.skip(6);
      return { kind: "tree 2" };
    default:
      throw new Damage(`chunk indexes of kind ${kind} are not known`);
  }
}

/** Chunks of versions 4 and 5. */
function newChunks(fields: Fields, version: number, widths: Widths): Layout {
  const flags = fields.u8();
  const rank = fields.u8();
  const width = fields.u8();
  const dims = Array.from({ length: rank }, () => fields.uint(width));
  const index = parseIndex(fields, (flags & 2) !== 0, widths);
  return chunked({
    address: fields.address(widths.offsetBytes),
    chunk: dims.slice(0, -1),
    index,
    plainBorder: (flags & 1) !== 0,
    ...version === 5 && { sizeBytes: widths.lengthBytes },
  });
}

/** Where the elements of a data set are. */
export function parseLayout(bytes: Uint8Array, widths: Widths): Layout {
  const fields = new Fields(bytes);
  const version = fields.version([1, 2, 3, 4, 5], "a layout");
  if (version < 3) return oldLayout(fields, widths);
  const kind = fields.u8();
  if (kind === 0) return { kind: "compact", bytes: fields.bytes(fields.u16()) };
  if (kind === 1) return { kind: "contiguous", address: fields.address(widths.offsetBytes) };
  if (kind === 3) throw new Unread("a virtual array");
  if (kind !== 2) throw new Damage(`layouts of kind ${kind} are not known`);
  if (version > 3) return newChunks(fields, version, widths);
  const rank = fields.u8();
  const address = fields.address(widths.offsetBytes);
  const dims = Array.from({ length: rank }, () => fields.u32());
  return chunked({ address, chunk: dims.slice(0, -1), index: { kind: "tree 1" } });
}

/** The filters of a pipeline in the order in which they were applied. */
export function parseFilters(bytes: Uint8Array): Filter[] {
  const fields = new Fields(bytes);
  const version = fields.version([1, 2], "a filter pipeline");
  const count = fields.u8();
  if (version === 1) fields.skip(6);
  return Array.from({ length: count }, () => {
    const id = fields.u16();
    const named = version === 1 || id >= 256;
    const nameBytes = named ? fields.u16() : 0;
    const flags = fields.u16();
    const length = fields.u16();
    const name = fields.text(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const values = Array.from({ length }, () => fields.u32());
    if (version === 1 && length % 2 === 1) fields.skip(4);
    return { id, name, flags, values };
  });
}

/** The bytes of an element that was never written; undefined where they are zeros. */
export function parseFill(bytes: Uint8Array, old: boolean): Uint8Array | undefined {
  const fields = new Fields(bytes);
  if (!old) {
    const version = fields.version([1, 2, 3], "a fill value");
    if (version === 3) {
      if ((fields.u8() & 0x20) === 0) return undefined;
    } else {
      fields.skip(2);
      if (fields.u8() === 0 && version === 2) return undefined;
    }
  }
  const length = fields.left < 4 ? 0 : fields.u32();
  const value = length === 0 || length > fields.left ? undefined : fields.bytes(length);
  return value?.some((byte) => byte !== 0) ? value : undefined;
}
