/** The safetensors format: a JSON header with the place of each tensor, then their bytes without gaps. */
import type { ByteSource } from "../../data/mod.ts";
import { refuseUnknownKeys } from "../options.ts";
import { CheckpointError } from "./errors.ts";
import {
  elementCount,
  STORED_BYTES,
  type StoredDtype,
  type StoredTensor,
} from "./stored_tensor.ts";

/** Tensors and free text of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The `__metadata__` entry. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where written bytes go, in order. */
export interface ByteSink {
  /** Takes the next bytes. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Settings of {@linkcode writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** Free text about the tensors. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Ends the writing early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Largest header that the reference implementation accepts, in bytes. */
const MAX_HEADER_BYTES = 100_000_000;
/** Bytes of the header's size, a little-endian 64-bit integer. */
const SIZE_BYTES = 8;
const METADATA = "__metadata__";

/**
 * Reads the header of a safetensors file; tensors are read later, each by one range.
 *
 * @param source Bytes of the file; must stay open while tensors are read
 * @returns Tensors and metadata
 * @throws {CheckpointError} When the header is damaged, a dtype is not known, or ranges overlap, leave gaps or leave the file
 */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const fail = failing(source.name);
  if (source.size < SIZE_BYTES) fail(`must have at least ${SIZE_BYTES} bytes`, source.size);
  const sizeBytes = await source.read(0, SIZE_BYTES);
  const headerBytes = new DataView(sizeBytes.buffer, sizeBytes.byteOffset).getBigUint64(0, true);
  const limit = BigInt(Math.min(MAX_HEADER_BYTES, source.size - SIZE_BYTES));
  if (headerBytes > limit) fail(`must have a header of at most ${limit} bytes`, headerBytes);
  const dataStart = SIZE_BYTES + Number(headerBytes);
  const header = parseHeader(await source.read(SIZE_BYTES, Number(headerBytes)), fail);

  const tensors = new Map<string, StoredTensor>();
  const ranges: Range[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = parseMetadata(entry, fail);
      continue;
    }
    const { dtype, shape, begin, end } = parseEntry(name, entry, fail);
    ranges.push({ name, begin, end });
    const read = () => source.read(dataStart + begin, end - begin);
    tensors.set(name, { name, dtype, shape, read });
  }
  checkRanges(ranges, source.size - dataStart, fail);
  return { tensors, metadata };
}

/**
 * Writes tensors as a safetensors file, one in memory at a time. Wider elements come first, so that all are aligned.
 *
 * @example
 * ```ts
 * import { readFloat32, readSafetensors, storedFloat32, writeSafetensors } from "@scgpt/sdk/lib";
 * import { openSource } from "@scgpt/sdk/data";
 * import assert from "node:assert/strict";
 *
 * const parts: Uint8Array<ArrayBuffer>[] = [];
 * const sink = { write: (bytes: Uint8Array<ArrayBuffer>) => (parts.push(bytes), Promise.resolve()) };
 * await writeSafetensors(sink, [storedFloat32("w", [2], Float32Array.of(1, 2))]);
 * using source = await openSource(new Blob(parts));
 * const { tensors } = await readSafetensors(source);
 * assert.deepEqual(await readFloat32(tensors.get("w")!), Float32Array.of(1, 2));
 * ```
 *
 * @param sink Where the bytes go
 * @param tensors What is written
 * @param options Metadata and abort signal
 * @throws {RangeError} When two tensors have one name, or one gives other bytes than its shape says
 */
export async function writeSafetensors(
  sink: ByteSink,
  tensors: Iterable<StoredTensor>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  refuseUnknownKeys(options, ["metadata", "signal"], "write safetensors");
  const ordered = [...tensors].sort((a, b) => STORED_BYTES[b.dtype] - STORED_BYTES[a.dtype]);
  await sink.write(encodeHeader(ordered, options.metadata));
  for (const tensor of ordered) {
    options.signal?.throwIfAborted();
    const bytes = await tensor.read();
    if (bytes.length !== byteLength(tensor)) {
      throw new RangeError(
        `Cannot write ${tensor.name} as [${tensor.shape}] ${tensor.dtype} must have ` +
          `${byteLength(tensor)} bytes: got ${bytes.length}`,
      );
    }
    await sink.write(bytes);
  }
}

type Fail = (rule: string, got: unknown, cause?: unknown) => never;

interface Range {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

function failing(file: string): Fail {
  return (rule, got, cause) => {
    throw new CheckpointError(
      "format",
      `Cannot read ${file} as a safetensors file ${rule}: got ${got}`,
      {
        cause,
      },
    );
  };
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    fail("must have a JSON header", "something else", cause);
  }
  return isRecord(header)
    ? header
    : fail("must have a JSON object as header", JSON.stringify(header));
}

function parseMetadata(entry: unknown, fail: Fail): Readonly<Record<string, string>> {
  if (isRecord(entry) && Object.values(entry).every((value) => typeof value === "string")) {
    return entry as Record<string, string>;
  }
  return fail(`must have strings in ${METADATA}`, JSON.stringify(entry).slice(0, 80));
}

function parseEntry(
  name: string,
  entry: unknown,
  fail: Fail,
): { dtype: StoredDtype; shape: readonly number[]; begin: number; end: number } {
  if (!isRecord(entry)) return fail(`must describe ${name} by an object`, JSON.stringify(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(STORED_BYTES, dtype)) {
    return fail(
      `must have ${name} in one of ${Object.keys(STORED_BYTES).join(", ")}`,
      JSON.stringify(dtype),
    );
  }
  if (!isCounts(shape)) return fail(`must have a shape for ${name}`, JSON.stringify(shape));
  if (!isCounts(offsets) || offsets.length !== 2) {
    return fail(`must have two data_offsets for ${name}`, JSON.stringify(offsets));
  }
  const [begin, end] = offsets as [number, number];
  const wanted = elementCount(shape) * STORED_BYTES[dtype as StoredDtype];
  if (end - begin !== wanted) fail(`must have ${wanted} bytes for ${name} [${shape}]`, end - begin);
  return { dtype: dtype as StoredDtype, shape, begin, end };
}

/** Ranges must cover the data exactly: no hole to hide bytes in, no byte in two tensors. */
function checkRanges(ranges: Range[], dataBytes: number, fail: Fail): void {
  let at = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) fail(`must have ${name} begin at byte ${at} of the data`, begin);
    at = end;
  }
  if (at !== dataBytes) fail(`must have ${at} bytes of data`, dataBytes);
}

function encodeHeader(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array<ArrayBuffer> {
  const header = new Map<string, unknown>();
  if (metadata !== undefined) header.set(METADATA, metadata);
  let at = 0;
  for (const { name, dtype, shape } of tensors) {
    if (header.has(name) || name === METADATA) {
      throw new RangeError(`Cannot write ${name} as each name must occur once: got it again`);
    }
    const end = at + elementCount(shape) * STORED_BYTES[dtype];
    header.set(name, { dtype, shape, data_offsets: [at, end] });
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(json.length / 8) * 8; // the data begin aligned
  const bytes = new Uint8Array(SIZE_BYTES + padded).fill(0x20, SIZE_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, SIZE_BYTES);
  return bytes;
}

function byteLength(tensor: StoredTensor): number {
  return elementCount(tensor.shape) * STORED_BYTES[tensor.dtype];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}
