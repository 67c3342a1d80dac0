/** Values of cells as they come out of tiles, and the few operations that reading needs of them. */
import { corrupt, type Place } from "./bytes.ts";
import type { RawArray } from "../storage.ts";
import { type Datatype, elementsOf } from "./datatype.ts";

/** Values of equal length, in one array. */
export interface FixedCells {
  /** Tells the kinds apart. */
  readonly kind: "fixed";
  /** Element type. */
  readonly type: Datatype;
  /** RawArray of a cell. */
  readonly cellLength: number;
  /** The elements of all cells. */
  readonly data: RawArray;
  /** 1 where a value is there; undefined where none may be missing. */
  readonly valid: Uint8Array | undefined;
}

/** Values of any length: bytes, and where each one starts. */
export interface VariableCells {
  /** Tells the kinds apart. */
  readonly kind: "variable";
  /** Element type. */
  readonly type: Datatype;
  /** The bytes of all cells. */
  readonly bytes: Uint8Array;
  /** Start of each cell, and the end of the last: [cells + 1]. */
  readonly starts: Float64Array;
  /** 1 where a value is there; undefined where none may be missing. */
  readonly valid: Uint8Array | undefined;
}

/** Values of some cells. */
export type Cells = FixedCells | VariableCells;

/** Number of cells. */
export function cellCount(cells: Cells): number {
  return cells.kind === "fixed" ? cells.data.length / cells.cellLength : cells.starts.length - 1;
}

/** Bytes that the values take. */
export function cellBytes(cells: Cells): number {
  const values = cells.kind === "fixed"
    ? cells.data.byteLength
    : cells.bytes.length + cells.starts.byteLength;
  return values + (cells.valid?.length ?? 0);
}

/** Makes cells of bytes. */
export function fixedCells(
  bytes: Uint8Array<ArrayBuffer>,
  field: { readonly type: Datatype; readonly cellLength: number },
  valid: Uint8Array | undefined,
): FixedCells {
  const { type, cellLength } = field;
  return { kind: "fixed", type, cellLength, data: elementsOf(bytes, type), valid };
}

/** Makes cells of bytes and starts, which are checked: [cells], ascending from 0. */
export function variableCells(
  bytes: Uint8Array,
  starts: Float64Array,
  options: {
    readonly type: Datatype;
    readonly valid: Uint8Array | undefined;
    readonly place: Place;
  },
): VariableCells {
  const { type, valid, place } = options;
  const ends = new Float64Array(starts.length + 1);
  ends.set(starts);
  ends[starts.length] = bytes.length;
  for (let i = 0; i < starts.length; i++) {
    if (ends[i]! <= ends[i + 1]!) continue;
    throw corrupt(
      `Cannot read cells as starts must ascend up to ${bytes.length}: cell ${i} starts at ${
        ends[i]
      }`,
      place,
    );
  }
  return { kind: "variable", type, bytes, starts: ends, valid };
}

/** The cells of these places. */
export function takeCells(cells: Cells, places: Uint32Array): Cells {
  const valid = cells.valid && takeBytes(cells.valid, places);
  if (cells.kind === "fixed") {
    return { ...cells, data: takeElements(cells.data, places, cells.cellLength), valid };
  }
  const starts = new Float64Array(places.length + 1);
  let length = 0;
  for (let i = 0; i < places.length; i++) {
    length += cells.starts[places[i]! + 1]! - cells.starts[places[i]!]!;
    starts[i + 1] = length;
  }
  const bytes = new Uint8Array(length);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    bytes.set(cells.bytes.subarray(cells.starts[place]!, cells.starts[place + 1]!), starts[i]!);
  }
  return { ...cells, bytes, starts, valid };
}

function takeBytes(data: Uint8Array, places: Uint32Array): Uint8Array {
  const out = new Uint8Array(places.length);
  for (let i = 0; i < places.length; i++) out[i] = data[places[i]!]!;
  return out;
}

/** RawArray of some cells; those of 64 bits are moved as words, which is faster than as BigInt. */
function takeElements(data: RawArray, places: Uint32Array, cellLength: number): RawArray {
  const size = data.BYTES_PER_ELEMENT * cellLength;
  const out = new (data.constructor as new (length: number) => RawArray)(
    places.length * cellLength,
  );
  if (size === 8) takeWords(new Uint32Array(data.buffer, data.byteOffset), out, places);
  else if (cellLength === 1) {
    const [from, to] = [data as Uint8Array, out as Uint8Array];
    for (let i = 0; i < places.length; i++) to[i] = from[places[i]!]!;
  } else {
    const [from, to] = [asBytes(data), asBytes(out)];
    for (let i = 0; i < places.length; i++) {
      to.set(from.subarray(places[i]! * size, (places[i]! + 1) * size), i * size);
    }
  }
  return out;
}

function takeWords(words: Uint32Array, out: RawArray, places: Uint32Array): void {
  const target = new Uint32Array(out.buffer);
  for (let i = 0; i < places.length; i++) {
    target[2 * i] = words[2 * places[i]!]!;
    target[2 * i + 1] = words[2 * places[i]! + 1]!;
  }
}

function asBytes(data: RawArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The cells from one place up to another, sharing memory. */
export function sliceCells(cells: Cells, from: number, to: number): Cells {
  const valid = cells.valid?.subarray(from, to);
  if (cells.kind === "fixed") {
    const { data, cellLength } = cells;
    return { ...cells, data: data.subarray(from * cellLength, to * cellLength), valid };
  }
  const base = cells.starts[from]!;
  const starts = cells.starts.slice(from, to + 1).map((start) => start - base);
  const bytes = cells.bytes.subarray(base, cells.starts[to]!);
  return { ...cells, bytes, starts, valid };
}

/** One list of cells after the other. */
export function joinCells(parts: readonly Cells[]): Cells {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  const valid = parts.some((part) => part.valid !== undefined) ? joinValid(parts) : undefined;
  return first.kind === "fixed"
    ? { ...first, data: joinElements(parts as readonly FixedCells[]), valid }
    : { ...first, ...joinVariable(parts as readonly VariableCells[]), valid };
}

function joinValid(parts: readonly Cells[]): Uint8Array {
  const valid = new Uint8Array(parts.reduce((sum, part) => sum + cellCount(part), 0)).fill(1);
  let at = 0;
  for (const part of parts) {
    if (part.valid !== undefined) valid.set(part.valid, at);
    at += cellCount(part);
  }
  return valid;
}

function joinElements(parts: readonly FixedCells[]): RawArray {
  const Class = parts[0]!.data.constructor as new (length: number) => RawArray;
  const data = new Class(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    (data as Uint8Array).set(part.data as Uint8Array, at);
    at += part.data.length;
  }
  return data;
}

function joinVariable(
  parts: readonly VariableCells[],
): { readonly bytes: Uint8Array; readonly starts: Float64Array } {
  const count = parts.reduce((sum, part) => sum + part.starts.length - 1, 0);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  const starts = new Float64Array(count + 1);
  let [cell, byte] = [0, 0];
  for (const part of parts) {
    for (let i = 0; i < part.starts.length; i++) starts[cell + i] = byte + part.starts[i]!;
    bytes.set(part.bytes, byte);
    cell += part.starts.length - 1;
    byte += part.bytes.length;
  }
  return { bytes, starts };
}

/** `count` cells that all have the value of `cell`. */
export function repeatCell(
  field: { readonly type: Datatype; readonly cellLength: number | undefined },
  cell: Uint8Array,
  options: { readonly count: number; readonly valid: boolean | undefined },
): Cells {
  const { count } = options;
  const { type, cellLength } = field;
  const bytes = new Uint8Array(count * cell.length);
  for (let i = 0; i < count; i++) bytes.set(cell, i * cell.length);
  const valid = options.valid === undefined
    ? undefined
    : new Uint8Array(count).fill(Number(options.valid));
  if (cellLength !== undefined) return fixedCells(bytes, { type, cellLength }, valid);
  const starts = Float64Array.from({ length: count + 1 }, (_, i) => i * cell.length);
  return { kind: "variable", type, bytes, starts, valid };
}
