/**
 * h5py does not say how long lzf's chunks of texts are once unpacked, and the lzf plugin for h5wasm cannot go without: it aborts. Such
 * data sets are read through a second view of the file in which the description of the filter is complete. It has the same bytes:
 * version 2 of the message needs no room for the filter's name. File format:
 * https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, "Data Storage - Filter Pipeline" and "Data Layout".
 */
import { headerMessages, MESSAGE, type ReadBytes } from "./hdf5_header.ts";

/** Registered number of lzf. */
export const LZF = 32000;

/** Bytes in place of others. */
export interface Patch {
  /** Their place in the file. */
  readonly at: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** A filter of a pipeline. */
interface Filter {
  readonly id: number;
  readonly flags: number;
  readonly values: readonly number[];
}

/** Bytes of an unpacked chunk, out of the layout message; undefined where there are no chunks. */
function chunkBytes(message: DataView): number | undefined {
  const [version, kind, rank] = [0, 1, 2].map((at) => message.getUint8(at));
  if (version !== 3 || kind !== 2) return undefined;
  // The last "axis" is the size of an element.
  let bytes = 1;
  for (let axis = 0; axis < rank!; axis++) bytes *= message.getUint32(11 + 4 * axis, true);
  return bytes;
}

/** The filters of a pipeline message of either version. */
function parseFilters(message: DataView): Filter[] {
  const [version, count] = [message.getUint8(0), message.getUint8(1)];
  let at = version === 1 ? 8 : 2;
  return Array.from({ length: count }, () => {
    const id = message.getUint16(at, true);
    const named = version === 1 || id >= 256;
    const name = named ? message.getUint16(at + 2, true) : 0;
    at += named ? 4 : 2;
    const [flags, length] = [message.getUint16(at, true), message.getUint16(at + 2, true)];
    at += 4 + name;
    const values = Array.from({ length }, (_, k) => message.getUint32(at + 4 * k, true));
    at += 4 * (version === 1 ? length + length % 2 : length);
    return { id, flags, values };
  });
}

/** A pipeline message of version 2 without names. */
function writeFilters(filters: readonly Filter[]): Uint8Array {
  const words: number[] = [];
  for (const { id, flags, values } of filters) {
    words.push(id, ...id >= 256 ? [0] : [], flags, values.length);
    words.push(...values.flatMap((value) => [value & 0xffff, value >>> 16]));
  }
  const bytes = new Uint8Array(2 + 2 * words.length);
  const view = new DataView(bytes.buffer);
  bytes.set([2, filters.length]);
  words.forEach((word, k) => view.setUint16(2 + 2 * k, word, true));
  return bytes;
}

/** The change that completes the description of lzf in a data set's header; undefined where that is impossible. */
export function lzfPatch(read: ReadBytes, header: number): Patch | undefined {
  const messages = [...headerMessages(read, header)];
  const layout = messages.find(({ type }) => type === MESSAGE.layout);
  const pipeline = messages.find(({ type }) => type === MESSAGE.filters);
  if (layout === undefined || pipeline === undefined) return undefined;
  const length = chunkBytes(read(layout.at, layout.length));
  if (length === undefined) return undefined;
  const filters = parseFilters(read(pipeline.at, pipeline.length));
  const complete = filters.map((filter) =>
    filter.id === LZF ? { ...filter, values: [4, 261, length] } : filter
  );
  const written = writeFilters(complete);
  if (written.length > pipeline.length) return undefined;
  const bytes = new Uint8Array(pipeline.length);
  bytes.set(written);
  return { at: pipeline.at, bytes };
}
