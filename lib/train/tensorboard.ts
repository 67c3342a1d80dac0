/**
 * TensorBoard's event files, as bytes: a sequence of records (length, its checksum, data, their checksum), each the protocol buffer of an
 * `Event`. Reference: tensorflow's record_writer.cc, event.proto and summary.proto.
 */

/** One event. */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** Step of the run; 0 by default. */
  readonly step?: number;
  /** Numbers by tag, such as "validation/loss"; stored as float32. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Marks the first event of a file. */
  readonly first?: boolean;
  /** Says that a run begins again: what earlier files have from `step` on does not count. */
  readonly restart?: boolean;
}

/** Numbers of the fields in event.proto and summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 };
const SUMMARY = { value: 1 }, VALUE = { tag: 1, simpleValue: 2 }, SESSION = { status: 1 };
const SESSION_START = 1;

/**
 * The bytes that an event adds to a file.
 *
 * @example
 * ```ts
 * import { tensorboardRecord } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const first = tensorboardRecord({ wallTime: 0, first: true });
 * const loss = tensorboardRecord({ wallTime: 1, step: 1, scalars: { loss: 0.5 } });
 * const file = new Blob([first, loss]); // named events.out.tfevents.<anything>
 * assert.equal(file.size, 40 + 42);
 * ```
 *
 * @param event What happened
 * @returns A whole record
 * @throws {RangeError} When the step is no integer >= 0
 */
export function tensorboardRecord(event: TensorboardEvent): Uint8Array<ArrayBuffer> {
  const { wallTime, step = 0, scalars, first = false, restart = false } = event;
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`Cannot log an event as its step must be an integer >= 0: got ${step}`);
  }
  const values = Object.entries(scalars ?? {}).map(([tag, value]) =>
    bytesField(SUMMARY.value, [...textField(VALUE.tag, tag), ...floatField(value)])
  );
  return record(Uint8Array.from([
    ...doubleField(EVENT.wallTime, wallTime),
    ...step > 0 ? varintField(EVENT.step, step) : [],
    ...first ? textField(EVENT.fileVersion, "brain.Event:2") : [],
    ...restart ? bytesField(EVENT.sessionLog, varintField(SESSION.status, SESSION_START)) : [],
    ...values.length > 0 ? bytesField(EVENT.summary, values.flat()) : [],
  ]));
}

/** uint64 length, masked CRC of it, data, masked CRC of them; little-endian. */
function record(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/** A checksum of data that hold checksums would be weak, so records have it rotated and shifted. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), reflected polynomial 0x82f63b78. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 };

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value % 0x80 + 0x80);
  return [...bytes, value];
}

function varintField(field: number, value: number): number[] {
  return [field << 3 | WIRE.varint, ...varint(value)];
}

function bytesField(field: number, bytes: readonly number[]): number[] {
  return [field << 3 | WIRE.bytes, ...varint(bytes.length), ...bytes];
}

function textField(field: number, text: string): number[] {
  return bytesField(field, [...new TextEncoder().encode(text)]);
}

function doubleField(field: number, value: number): number[] {
  const bytes = new Uint8Array(Float64Array.of(value).buffer);
  return [field << 3 | WIRE.fixed64, ...bytes];
}

function floatField(value: number): number[] {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return [VALUE.simpleValue << 3 | WIRE.fixed32, ...bytes];
}
