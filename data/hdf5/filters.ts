/** The filters of HDF5's arrays: which are there, and how chunks go back through them. */
import { loadBlosc } from "../codecs/blosc.ts";
import type { Codec, Expected } from "../codecs/codec.ts";
import { loadInflate } from "../codecs/inflate.ts";
import { loadZstd } from "../codecs/load_zstd.ts";
import { unshuffle } from "../codecs/shuffle.ts";
import { FormatError } from "../errors.ts";
import { loadBitshuffle } from "./bitshuffle.ts";
import { checkFletcher32 } from "./fletcher32.ts";
import { unpackLz4Chunk } from "./lz4_chunk.ts";
import { unpackLzf } from "./lzf.ts";
import { loadNbit } from "./nbit.ts";
import { loadScaleOffset } from "./scale_offset.ts";
import { loadSzip } from "./szip.ts";

/** A filter of an array's pipeline, in the order in which it was applied when written. */
export interface Filter {
  /** Registered number: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md */
  readonly id: number;
  /** Name as stored, often empty. */
  readonly name: string;
  /** Bit 0: chunks may go without it. */
  readonly flags: number;
  /** Parameters: `cd_values`. */
  readonly values: readonly number[];
}

/** Where an array is, for messages. */
interface Place {
  readonly file: string;
  readonly key: string;
}

/** Unpacks chunks. */
export interface Pipeline {
  /**
   * Unpacks one chunk; may give a view of it where nothing was packed.
   *
   * @param mask Bit k is set where filter k was not applied to this chunk.
   * @param length Bytes of the unpacked chunk.
   * @throws {FormatError} "value", naming the filter whose bytes are damaged.
   */
  decode(chunk: Uint8Array, mask: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** A filter that can be undone. */
interface KnownFilter {
  readonly name: string;
  /** Bytes that writing adds; undefined where the length of what it makes is not known. */
  readonly added?: number;
  /** Makes its codec; undefined for one that only the HDF5 library's plugins decode. */
  readonly load?: (values: readonly number[], elementSize: number) => Codec | Promise<Codec>;
}

/** Registered number -> filter. */
const FILTERS: ReadonlyMap<number, KnownFilter> = new Map<number, KnownFilter>([
  [1, { name: "gzip", load: loadInflate }],
  [2, {
    name: "shuffle",
    added: 0,
    load: ([size], elementSize) => (chunk) => unshuffle(chunk, size ?? elementSize),
  }],
  [3, { name: "fletcher32", added: 4, load: () => checkFletcher32 }],
  [4, { name: "szip", load: loadSzip }],
  [5, { name: "nbit", load: loadNbit }],
  [6, { name: "scaleoffset", load: loadScaleOffset }],
  [307, { name: "bzip2" }],
  [32000, { name: "lzf", load: () => unpackLzf }],
  [32001, { name: "blosc", load: loadBlosc }],
  [32004, { name: "lz4", load: () => unpackLz4Chunk }],
  [32008, { name: "bitshuffle", load: loadBitshuffle }],
  [32013, { name: "zfp" }],
  [32015, { name: "zstd", load: loadZstd }],
  [32026, { name: "blosc2" }],
]);

/** A filter whose codec is ready. */
interface Step {
  readonly name: string;
  readonly added: number | undefined;
  readonly codec: Codec;
}

/** The filter of a number, which may have no codec of ours. */
function knownFilter({ id, name }: Filter, place: Place): KnownFilter {
  const known = FILTERS.get(id);
  if (known !== undefined) return known;
  const reason = `Cannot read the array as the filter ${name || "unknown"} (number ${id}) ` +
    "is not available here: write the file with gzip, zstd or lz4";
  throw new FormatError("missing-filter", reason, place);
}

/**
 * Makes the codecs of an array's pipeline ready.
 *
 * @returns Undefined where a filter is one that only the HDF5 library's plugins decode.
 * @throws {FormatError} "missing-filter" for one that is not known at all.
 */
export async function openPipeline(
  filters: readonly Filter[],
  place: Place,
  elementSize: number,
): Promise<Pipeline | undefined> {
  const known = filters.map((filter) => knownFilter(filter, place));
  const steps: Step[] = [];
  for (const [k, { name, added, load }] of known.entries()) {
    if (load === undefined) return undefined;
    steps.push({ name, added, codec: await load(filters[k]!.values, elementSize) });
  }
  return { decode: (chunk, mask, length) => unpack(chunk, { steps, mask, length, place }) };
}

/** One chunk on its way. */
interface Chunk {
  readonly steps: readonly Step[];
  readonly mask: number;
  readonly length: number;
  readonly place: Place;
}

/** The most by which a compressor may make bytes longer that it cannot pack. */
const mostPacked = (length: number) => length + (length >>> 3) + (1 << 12);

/** What undoing each filter must give: the length that the filters before it made of the unpacked chunk. */
function expectations({ steps, mask, length }: Chunk): (Expected | undefined)[] {
  let now: Expected = { length, exact: true };
  return steps.map(({ added }, k) => {
    if ((mask >>> k & 1) === 1) return undefined;
    const expected = now;
    now = added === undefined
      ? { length: mostPacked(now.length), exact: false }
      : { length: now.length + added, exact: now.exact };
    return expected;
  });
}

/** Undoes all filters, the last first. */
function unpack(chunk: Uint8Array, job: Chunk): Uint8Array | Promise<Uint8Array> {
  return undo(chunk, job, expectations(job), job.steps.length - 1);
}

/** Undoes filter `k` and those before it; waits only where a codec makes a promise. */
function undo(
  bytes: Uint8Array,
  job: Chunk,
  expectations: readonly (Expected | undefined)[],
  k: number,
): Uint8Array | Promise<Uint8Array> {
  for (; k >= 0; k--) {
    const expected = expectations[k];
    if (expected === undefined) continue;
    const step = job.steps[k]!;
    const fail = (cause: unknown) => damage(cause, step, job.place);
    try {
      const out = step.codec(bytes, expected);
      if (out instanceof Promise) {
        return out.catch(fail).then((next) => undo(next, job, expectations, k - 1));
      }
      bytes = out;
    } catch (cause) {
      fail(cause);
    }
  }
  if (bytes.length === job.length) return bytes;
  const reason = `Cannot read a chunk as ${job.length} bytes must come out: got ${bytes.length}`;
  throw new FormatError("value", reason, job.place);
}

/** Says which filter found damage. */
function damage(cause: unknown, { name }: Step, place: Place): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot unpack a chunk with the filter ${name} as it is damaged: ${reason}`;
  throw new FormatError("value", message, { ...place, cause });
}
