/** The filters of HDF5's arrays: which are there, and how chunks go back through them. */
import { loadBlosc } from "../codecs/blosc.ts";
import type { Codec } from "../codecs/codec.ts";
import { loadInflate } from "../codecs/inflate.ts";
import { loadUnshuffle } from "../codecs/load_kernels.ts";
import { loadZstd } from "../codecs/load_zstd.ts";
import { type Step, undoSteps } from "../codecs/pipeline.ts";
import { FormatError } from "../errors.ts";
import { loadBitshuffle } from "./bitshuffle.ts";
import { checkFletcher32 } from "./fletcher32.ts";
import { loadLz4Chunks } from "./lz4_chunk.ts";
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
  /** Makes its codec. */
  readonly load: (values: readonly number[], elementSize: number) => Codec | Promise<Codec>;
}

/** What is rare is fetched when a file has it. */
const loadBzip2 = async () => (await import("../codecs/bzip2.ts")).unpackBzip2;
const loadBlosc2 = async () => (await import("../codecs/blosc2.ts")).loadBlosc2();

/** The shuffle filter. */
async function loadShuffle([size]: readonly number[], elementSize: number): Promise<Codec> {
  const unshuffle = await loadUnshuffle();
  return (chunk) => unshuffle(chunk, size ?? elementSize);
}

/** Registered number -> filter. */
const FILTERS: ReadonlyMap<number, KnownFilter> = new Map<number, KnownFilter>([
  [1, { name: "gzip", load: () => loadInflate() }],
  [2, {
    name: "shuffle",
    added: 0,
    load: loadShuffle,
  }],
  [3, { name: "fletcher32", added: 4, load: () => checkFletcher32 }],
  [4, { name: "szip", load: loadSzip }],
  [5, { name: "nbit", load: loadNbit }],
  [6, { name: "scaleoffset", load: loadScaleOffset }],
  [307, { name: "bzip2", load: loadBzip2 }],
  [32000, { name: "lzf", load: () => unpackLzf }],
  [32001, { name: "blosc", load: () => loadBlosc() }],
  [32004, { name: "lz4", load: loadLz4Chunks }],
  [32008, { name: "bitshuffle", load: loadBitshuffle }],
  [32015, { name: "zstd", load: loadZstd }],
  [32026, { name: "blosc2", load: loadBlosc2 }],
]);

/** Names of filters that are not decoded here, for those that stored none. */
const OTHERS: ReadonlyMap<number, string> = new Map([[32013, "zfp"], [32017, "SZ"], [
  32019,
  "FCIDECOMP",
], [32024, "SZ3"]]);

/** The filter of a number. */
function knownFilter({ id, name }: Filter, place: Place): KnownFilter {
  const known = FILTERS.get(id);
  if (known !== undefined) return known;
  const reason =
    `Cannot read the array as the filter ${name || (OTHERS.get(id) ?? "unknown")} (number ${id}) ` +
    "is not available here: write the file with gzip, zstd or lz4";
  throw new FormatError("missing-filter", reason, place);
}

/**
 * Makes the codecs of an array's pipeline ready.
 *
 * @throws {FormatError} "missing-filter" for one that is not known.
 */
export async function openPipeline(
  filters: readonly Filter[],
  place: Place,
  elementSize: number,
): Promise<Pipeline> {
  const known = filters.map((filter) => knownFilter(filter, place));
  const steps: Step[] = [];
  for (const [k, { name, added, load }] of known.entries()) {
    steps.push({ name, added, codec: await load(filters[k]!.values, elementSize) });
  }
  return { decode: (chunk, mask, length) => unpack(chunk, { steps, mask, length, place }) };
}

/** Undoes the filters that a chunk has. */
function unpack(chunk: Uint8Array, { steps, mask, length, place }: Job) {
  const applied = steps.filter((_, k) => (mask >>> k & 1) === 0);
  const fail = (cause: unknown, step: Step) => damage(cause, step, place);
  const check = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length === length) return bytes;
    const reason = `Cannot read a chunk as ${length} bytes must come out: got ${bytes.length}`;
    throw new FormatError("value", reason, place);
  };
  const bytes = undoSteps(chunk, applied, { length, exact: true, fail });
  return bytes instanceof Promise ? bytes.then(check) : check(bytes);
}

/** What unpacking a chunk needs. */
interface Job {
  readonly steps: readonly Step[];
  readonly mask: number;
  readonly length: number;
  readonly place: Place;
}

/** Says which filter found damage. */
function damage(cause: unknown, { name }: Step, place: Place): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot unpack a chunk with the filter ${name} as it is damaged: ${reason}`;
  throw new FormatError("value", message, { ...place, cause });
}
