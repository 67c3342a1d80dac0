/** Undoing of filters: from the bytes of a chunk in a file to the bytes of its elements. */
import { FormatError } from "../../errors.ts";
import { ByteReader, corrupt, type Place } from "../bytes.ts";
import { type Datatype, isNumeric } from "../datatype.ts";
import { reduceBitWidthBack } from "./bit_width.ts";
import { bzip2 } from "./bzip2.ts";
import { checkSums } from "./checksum.ts";
import { delta, positiveDelta, xor } from "./delta.ts";
import { doubleDelta } from "./double_delta.ts";
import { scaleBack } from "./float_scale.ts";
import { gunzip } from "./gzip.ts";
import { lz4 } from "./lz4.ts";
import type { Filter } from "./pipeline.ts";
import { runLengths } from "./rle.ts";
import { bitshuffle, byteshuffle } from "./shuffle.ts";
import { dictionaryStrings, runLengthStrings, type Strings } from "./strings.ts";
import { zstd } from "./zstd.ts";

/** What the filters of a field have to know. */
export interface FilterContext {
  /** Filters in the order of writing. */
  readonly filters: readonly Filter[];
  /** Element type. */
  readonly type: Datatype;
  /** Bytes of a cell. */
  readonly cellSize: number;
  /** Format version of the array. */
  readonly version: number;
  /** Set where cells are texts whose bounds the filters keep. */
  readonly strings?: boolean;
}

/** A chunk on its way back: what the filters noted, and the data. */
interface Chunk {
  readonly notes: Uint8Array;
  readonly data: Uint8Array;
}

/** What one filter works with. */
interface Step {
  readonly filter: Filter;
  /** Element type that the filter was given. */
  readonly type: Datatype;
  readonly context: FilterContext;
  /** Most bytes that may come out. */
  readonly limit: number;
  readonly place: Place;
  /** Where the bounds of texts go. */
  readonly strings: Strings | undefined;
}

type Back = (chunk: Chunk, step: Step) => Chunk | Promise<Chunk>;

/** Whether the filters keep the bounds of texts, so that no offsets are stored. */
export function keepsBounds(filters: readonly Filter[], type: Datatype, version: number): boolean {
  if (type.name !== "string_ascii" && !(type.name === "string_utf8" && version >= 17)) return false;
  return filters.some(({ name }) => name === "rle" || name === "dictionary");
}

/**
 * Undoes the filters of a chunk.
 *
 * @param chunk Notes and data as stored.
 * @param context The field.
 * @param options `length`: bytes that must come out; `strings`: where the bounds of texts go.
 * @returns The bytes; a promise where a filter is asynchronous.
 */
export function unfilter(
  chunk: Chunk,
  context: FilterContext,
  options: {
    readonly length: number;
    readonly place: Place;
    readonly strings?: Strings | undefined;
  },
): Uint8Array | Promise<Uint8Array> {
  const { length, place } = options;
  const steps = backwards(context, { ...options, limit: 4 * length + 4096 });
  const finish = ({ data }: Chunk): Uint8Array => {
    if (data.length === length) return data;
    throw corrupt(
      `Cannot unpack a chunk as ${length} bytes must come out: got ${data.length}`,
      place,
    );
  };
  const backs = steps.map((step) => {
    const back = BACK[step.filter.name];
    if (back === undefined) throw unsupported(step.filter, place);
    return [step, back] as const;
  });
  let state: Chunk | Promise<Chunk> = chunk;
  for (const [step, back] of backs) {
    state = state instanceof Promise
      ? state.then((waited) => back(waited, step))
      : back(state, step);
  }
  return state instanceof Promise ? state.then(finish) : finish(state);
}

/** The filters from last to first, each with the element type that it was given in writing. */
function backwards(
  context: FilterContext,
  options: {
    readonly limit: number;
    readonly place: Place;
    readonly strings?: Strings | undefined;
  },
): Step[] {
  let { type } = context;
  const { limit, place, strings } = options;
  return context.filters.map((filter) => {
    const step = { filter, type, context, limit, place, strings };
    type = filter.reinterpret ?? type;
    return step;
  }).reverse();
}

function unsupported({ name }: Filter, place: Place): FormatError {
  return new FormatError(
    "missing-filter",
    `Cannot unpack data as their filter ${name} is not supported`,
    place,
  );
}

/** Bytes of one part of a compressor; `length` bytes must come out. */
type Decompress = (
  part: Uint8Array,
  length: number,
  step: Step,
) => Uint8Array | Promise<Uint8Array>;

/** Undoes a compressor, which packed notes and data in parts. */
function compressor(decompress: Decompress): Back {
  return (chunk, step) => {
    const notes = new ByteReader(chunk.notes, step.place, { what: `notes of ${step.filter.name}` });
    const packed = new ByteReader(chunk.data, step.place, { what: `data of ${step.filter.name}` });
    const counts = [notes.u32(), notes.u32()] as const;
    notes.count(counts[0] + counts[1], 8);
    let left = step.limit;
    // All are cut out before one is unpacked: an error here would leave promises that nobody awaits.
    const cut = Array.from({ length: counts[0] + counts[1] }, () => {
      const length = notes.u32();
      left -= length;
      if (left < 0) throw notes.error(`parts may have ${step.limit} bytes in all: they have more`);
      return { length, part: packed.bytes(notes.u32()) };
    });
    const parts = cut.map(({ length, part }) =>
      length === 0 ? new Uint8Array(0) : decompress(part, length, step)
    );
    const join = (whole: Uint8Array[]) => ({
      notes: concat(whole.slice(0, counts[0])),
      data: concat(whole.slice(counts[0])),
    });
    return parts.some((part) => part instanceof Promise)
      ? Promise.all(parts).then(join)
      : join(parts as Uint8Array[]);
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Undoes a filter that notes something and changes the data; the notes that it leaves belong to the next one. */
function plain(
  back: (data: Uint8Array, notes: ByteReader, step: Step) => Uint8Array | Promise<Uint8Array>,
): Back {
  return (chunk, step) => {
    const notes = new ByteReader(chunk.notes, step.place, { what: `notes of ${step.filter.name}` });
    const data = back(chunk.data, notes, step);
    const join = (data: Uint8Array) => ({ notes: chunk.notes.subarray(notes.at), data });
    return data instanceof Promise ? data.then(join) : join(data);
  };
}

/** Undoes a compressor that keeps the bounds of texts, or packs cells where it has none. */
function textual(texts: typeof dictionaryStrings, cells: Back | undefined): Back {
  const back = plain((data, notes, { strings, limit }) =>
    texts(data, notes, { strings: strings!, limit })
  );
  return (chunk, step) => {
    if (step.strings !== undefined && !isNumeric(step.type)) return back(chunk, step);
    if (cells === undefined) throw unsupported(step.filter, step.place);
    return cells(chunk, step);
  };
}

/** Whether the windowed filters leave data of a field as they are. */
function passesTimes({ type, context }: Step): boolean {
  return type.kind === "time" && context.version < 20;
}

const BACK: Partial<Record<Filter["name"], Back>> = {
  none: (chunk) => chunk,
  gzip: compressor((part, length, { place }) => gunzip(part, length, place)),
  zstd: compressor((part, length, { place }) => zstd(part, length, place)),
  lz4: compressor((part, length, { place }) => lz4(part, length, place)),
  bzip2: compressor((part, length, { place }) => bzip2(part, length, place)),
  rle: textual(
    runLengthStrings,
    compressor((part, length, { context, place }) =>
      runLengths(part, length, { cellSize: context.cellSize, place })
    ),
  ),
  dictionary: textual(dictionaryStrings, undefined),
  double_delta: compressor((part, length, { filter, type, place }) =>
    doubleDelta(part, length, { type: filter.reinterpret ?? type, place })
  ),
  delta: compressor((part, length, { filter, type, place }) =>
    delta(part, length, { type: filter.reinterpret ?? type, place })
  ),
  byteshuffle: plain((data, notes, { type }) => byteshuffle(data, notes, type.size)),
  bitshuffle: plain((data, notes, { type }) => bitshuffle(data, notes, type.size)),
  bit_width_reduction: (chunk, step) =>
    passesTimes(step) || step.type.size === 1 || step.type.kind === "float"
      ? chunk
      : plain((data, notes, { type, limit }) => reduceBitWidthBack(data, notes, { type, limit }))(
        chunk,
        step,
      ),
  positive_delta: (chunk, step) =>
    passesTimes(step) || step.type.kind === "float" || step.type.kind === "text"
      ? chunk
      : plain((data, notes, { type }) => positiveDelta(data, notes, type))(chunk, step),
  xor: plain((data, notes, { type }) => xor(data, notes, type.size)),
  float_scale: plain((data, notes, { type, filter, limit }) =>
    scaleBack(data, notes, { ...filter.scaling!, size: type.size, limit })
  ),
  checksum_md5: plain((data, notes) => checkSums(data, notes, "MD5")),
  checksum_sha256: plain((data, notes) => checkSums(data, notes, "SHA-256")),
};
