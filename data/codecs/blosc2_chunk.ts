/** Chunks of Blosc 2: https://github.com/Blosc/c-blosc2/blob/main/README_CHUNK_FORMAT.rst and blosc/blosc2.c, blosc_d. */
import { loadTools, type Tools } from "./blosc.ts";
import { copyBack } from "./copy_back.ts";
import { loadKernels } from "./kernels.ts";
import { unshuffleBits } from "./unshuffle_bits.ts";

const HEADER = 32;
/** Formats of chunks; those before are of Blosc 1 and of trials. */
const FIRST_VERSION = 4, LAST_VERSION = 6;
/** Bits of the header's flags; both shuffles stand for the header of 32 bytes. */
const FLAG = { shuffles: 5, copied: 2, whole: 16 };
/** Bits of its later flags that ask for what is not here: dictionaries, lazy chunks, chunks with notes on their packing. */
const OTHERS = [[1, "a dictionary"], [8, "blocks elsewhere"], [128, "notes for blocks"]] as const;
const FILTER = { none: 0, shuffle: 1, bitshuffle: 2, delta: 3, truncated: 4 };
const FILTERS = 6;

/** What chunks that have no blocks are made of; those that were never set may hold anything. */
const SPECIAL = { none: 0, zeros: 1, nans: 2, value: 3, unset: 4 };
const NANS: Readonly<Record<number, Uint8Array>> = {
  4: new Uint8Array(Float32Array.of(NaN).buffer),
  8: new Uint8Array(Float64Array.of(NaN).buffer),
};

/** What unpacks blocks, by the number of the compressor; is loaded when it is needed. */
export type Compressors = Map<number, Promise<Tools>>;

/** What a chunk says of itself. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: number;
  /** Bytes of an element. */
  readonly size: number;
  /** Bytes of a block. */
  readonly block: number;
  readonly special: number;
  /** Numbers of its filters in the order of packing, and what each has to know. */
  readonly filters: Uint8Array;
  readonly metas: Uint8Array;
}

/** Reads the header of the chunk with which bytes begin, and that must unpack to `length` bytes. */
function readHeader(from: Uint8Array, length: number): Chunk {
  if (from.length < HEADER) throw new RangeError("the header of a chunk is cut off");
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const [version, flags, size] = [from[0]!, from[2]!, from[3]!];
  const [found, block, packed] = [4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  if (packed < HEADER || packed > from.length) throw new RangeError("a chunk is cut off");
  if (found !== length) throw new RangeError(`a chunk must have ${length} bytes: got ${found}`);
  if (version < FIRST_VERSION || version > LAST_VERSION) {
    throw new RangeError(`the version of a chunk must be 4 to 6: got ${version}`);
  }
  if ((flags & FLAG.shuffles) !== FLAG.shuffles || size === 0 || block === 0) {
    throw new RangeError("the header of a chunk is damaged");
  }
  const [more, last] = [from[30]!, from[31]!];
  if (more !== 0) throw new RangeError("blocks of different lengths cannot be read here");
  for (const [bit, name] of OTHERS) {
    if ((last & bit) !== 0) throw new RangeError(`chunks with ${name} cannot be read here`);
  }
  const [filters, metas] = [from.subarray(16, 16 + FILTERS), from.subarray(24, 24 + FILTERS)];
  const bytes = from.subarray(0, packed);
  return { bytes, view, flags, size, block, special: last >> 4 & 7, filters, metas };
}

/** Fills memory with a value. */
function repeat(out: Uint8Array, value: Uint8Array): void {
  if (out.length % value.length !== 0) throw new RangeError("a chunk ends within an element");
  if (out.length === 0) return;
  out.set(value);
  copyBack(out, value.length, out.length, value.length);
}

/** Fills memory, which must hold zeros, as a special chunk says. */
export function fillSpecial(out: Uint8Array, special: number, size: number): void {
  if (special === SPECIAL.zeros || special === SPECIAL.unset) return;
  const value = NANS[size];
  if (special !== SPECIAL.nans || value === undefined) {
    throw new RangeError(`special values ${special} of ${size} bytes are not known`);
  }
  repeat(out, value);
}

/** Part of a block: its bytes packed, or the one that it repeats. */
interface Part {
  readonly packed: Uint8Array | number;
  readonly out: Uint8Array;
}

/** Parts of a block from `at` on; those whose length is 0 or less are runs. */
function* partsOf(
  { bytes, view }: Chunk,
  at: number,
  { out, count }: { readonly out: Uint8Array; readonly count: number },
): Generator<Part> {
  const length = out.length / count;
  for (let k = 0; k < count; k++) {
    if (at < HEADER || at + 4 > bytes.length) throw new RangeError("a block begins beyond a chunk");
    const packed = view.getInt32(at, true);
    const part = out.subarray(k * length, (k + 1) * length);
    at += 4;
    const end = at + (packed < 0 ? 1 : packed);
    if (end > bytes.length) throw new RangeError("a block goes beyond its chunk");
    if (packed < 0 && (packed < -255 || (bytes[at]! & 1) === 0)) {
      throw new RangeError("a run is of no byte");
    }
    yield { packed: packed <= 0 ? -packed : bytes.subarray(at, end), out: part };
    at = end;
  }
}

/** Fills parts from the k-th on, in order: LZ4 writes some bytes beyond what it fills. Waits only where a compressor does. */
function fillParts(parts: readonly Part[], unpack: Tools["unpack"], k = 0): void | Promise<void> {
  for (; k < parts.length; k++) {
    const { packed, out } = parts[k]!;
    if (typeof packed === "number") out.fill(packed);
    else if (packed.length === out.length) out.set(packed);
    else {
      const waiting = unpack(packed, out);
      if (waiting !== undefined) return waiting.then(() => fillParts(parts, unpack, k + 1));
    }
  }
}

/** Undoes the shuffling of bits; elements beyond the last eight were copied. */
function putBits(planes: Uint8Array, size: number, out: Uint8Array): void {
  const count = Math.floor(planes.length / size);
  const whole = (count - count % 8) * size;
  if (whole > 0) out.set(unshuffleBits(planes.subarray(0, whole), size));
  out.set(planes.subarray(whole), whole);
}

/** Undoes the delta filter in place: elements of the first block go with the one before, all others with those of the first block. */
function undelta(bytes: Uint8Array, size: number, first: Uint8Array | undefined): void {
  const width = [1, 2, 4, 8].includes(size) ? size : size % 8 === 0 ? 8 : 1;
  const end = bytes.length - bytes.length % width;
  if (first !== undefined) { for (let k = 0; k < end; k++) bytes[k]! ^= first[k]!; }
  else for (let k = width; k < end; k++) bytes[k]! ^= bytes[k - width]!;
}

/** Places of the filters that change bytes in unpacking, the last first. */
function filtersOf({ filters }: Chunk): number[] {
  const found: number[] = [];
  for (let k = FILTERS - 1; k >= 0; k--) {
    const filter = filters[k]!;
    if (filter > FILTER.truncated) throw new RangeError(`its filter ${filter} is not known`);
    if (filter === FILTER.delta && filters.subarray(0, k).some((other) => other !== FILTER.none)) {
      throw new RangeError("delta is not the first of its filters");
    }
    if (filter !== FILTER.none && filter !== FILTER.truncated) found.push(k);
  }
  return found;
}

/** Undoes the filters of a block: from `planes` to `out`. */
function unfilter(planes: Uint8Array, { out, chunk, undone, first }: Block, tools: Tools): void {
  const { filters, metas, size } = chunk;
  let from = planes;
  for (const k of undone) {
    if (filters[k] === FILTER.delta) {
      if (from !== out) out.set(from);
      undelta(out, size, first);
    } else {
      if (from === out) from = out.slice();
      if (filters[k] === FILTER.shuffle) tools.unshuffle(from, metas[k]! || size, out);
      else putBits(from, size, out);
    }
    from = out;
  }
}

/** A block that is unpacked. */
interface Block {
  readonly chunk: Chunk;
  /** Where its parts are, and how many. */
  readonly at: number;
  readonly count: number;
  readonly out: Uint8Array;
  /** Places of its filters; and the first block, where this is another. */
  readonly undone: readonly number[];
  readonly first: Uint8Array | undefined;
}

/** Unpacks a block. */
function unpackBlock(block: Block, tools: Tools): void | Promise<void> {
  const { chunk, at, count, out, undone } = block;
  const planes = undone.length === 0 ? out : tools.planes(out.length);
  const waiting = fillParts([...partsOf(chunk, at, { out: planes, count })], tools.unpack);
  const finish = () => unfilter(planes, block, tools);
  return waiting === undefined ? finish() : waiting.then(finish);
}

/** Loads a compressor, once. */
function toolsOf(compressor: number, ready: Compressors): Promise<Tools> {
  // Blosc 2 has no Snappy; beyond Zstandard are those of others.
  if (compressor === 2 || compressor > 4) {
    throw new RangeError(`its compressor ${compressor} is not known`);
  }
  const known = ready.get(compressor);
  if (known !== undefined) return known;
  const loading = loadKernels().then((kernels) => loadTools(compressor, kernels));
  ready.set(compressor, loading);
  return loading;
}

/** Unpacks the blocks of a chunk, whose places follow its header. */
async function unpackBlocks(chunk: Chunk, out: Uint8Array, tools: Tools): Promise<void> {
  const { bytes, view, flags, size } = chunk;
  const length = Math.min(chunk.block, out.length);
  const blocks = Math.ceil(out.length / length);
  if (HEADER + 4 * blocks > bytes.length) throw new RangeError("the list of blocks is cut off");
  const split = (flags & FLAG.whole) === 0 ? size : 1;
  if (length % split !== 0) throw new RangeError("blocks do not end with an element");
  const undone = filtersOf(chunk);
  for (let k = 0; k < blocks; k++) {
    const at = view.getUint32(HEADER + 4 * k, true);
    const part = out.subarray(k * length, (k + 1) * length);
    // A block that is cut short is never split.
    const count = part.length === length ? split : 1;
    const first = k === 0 ? undefined : out;
    // Another chunk may be unpacked at each `await`, and tools have memory for one block alone.
    const waiting = unpackBlock({ chunk, at, count, out: part, undone, first }, tools);
    if (waiting !== undefined) await waiting;
  }
}

/** Unpacks the chunk with which bytes begin into memory that holds zeros, and that it must fill. */
export async function unpackChunk(
  from: Uint8Array,
  out: Uint8Array,
  ready: Compressors,
): Promise<void> {
  const chunk = readHeader(from, out.length);
  const { bytes, flags, special, size } = chunk;
  const body = bytes.subarray(HEADER);
  if (special === SPECIAL.value) {
    if (body.length === 0) throw new RangeError("a chunk has no value");
    repeat(out, body);
  } else if (special !== SPECIAL.none) fillSpecial(out, special, size);
  else if ((flags & FLAG.copied) !== 0) {
    if (body.length !== out.length) throw new RangeError("the bytes of a chunk are cut off");
    out.set(body);
  } else if (out.length > 0) {
    await unpackBlocks(chunk, out, await toolsOf(flags >> 5, ready));
  }
}
