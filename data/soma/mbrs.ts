/** The ranges that the tiles of a fragment cover, as typed arrays. */
import type { ByteReader } from "./bytes.ts";
import { arrayClass, type Datatype } from "./datatype.ts";
import { type Dimension, readRange, type StoredRange } from "./schema.ts";

/** A list of numbers as narrow as they allow. */
export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Least and greatest coordinates of one dimension for each tile; texts have a letter for each byte. */
export type Bounds = { readonly min: Numbers; readonly max: Numbers } | {
  readonly min: readonly string[];
  readonly max: readonly string[];
};

/** Bytes as a text with one letter each, which sorts as the bytes do. */
export function byteText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

const WORD = 2 ** 32;

/** A stored number, rounded where it is beyond 2^53: rounding keeps the order, so no tile is missed. */
export function numberAt(view: DataView, at: number, type: Datatype): number {
  switch (type.size) {
    case 8: {
      if (type.kind === "float") return view.getFloat64(at, true);
      const high = type.kind === "uint"
        ? view.getUint32(at + 4, true)
        : view.getInt32(at + 4, true);
      return high * WORD + view.getUint32(at, true);
    }
    case 4:
      if (type.kind === "float") return view.getFloat32(at, true);
      return type.kind === "uint" ? view.getUint32(at, true) : view.getInt32(at, true);
    case 2:
      return type.kind === "uint" ? view.getUint16(at, true) : view.getInt16(at, true);
    default:
      return type.kind === "int" ? view.getInt8(at) : view.getUint8(at);
  }
}

/** A stored coordinate: a number, or text with one letter for each byte. */
export function coordinateOf(bytes: Uint8Array, dimension: Dimension): number | string {
  if (dimension.cellLength === undefined) return byteText(bytes);
  return numberAt(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    dimension.type,
  );
}

/** A stored range as coordinates. */
export function rangeOf(
  { min, max }: StoredRange,
  dimension: Dimension,
): { readonly min: number | string; readonly max: number | string } {
  return { min: coordinateOf(min, dimension), max: coordinateOf(max, dimension) };
}

/** An empty list for so many numbers of a type; integers of 64 bits start in 32. */
function emptyNumbers(type: Datatype, count: number): Numbers {
  if (type.size === 8) {
    return type.kind === "float" ? new Float64Array(count) : new Uint32Array(count);
  }
  return new (arrayClass(type))(count) as Numbers;
}

/** A column of numbers that becomes wider when one needs it. */
class NumberColumn {
  values: Numbers;

  constructor(type: Datatype, count: number) {
    this.values = emptyNumbers(type, count);
  }

  set(i: number, value: number): void {
    this.values[i] = value;
    if (this.values[i] === value || Number.isNaN(value)) return;
    this.values = Float64Array.from(this.values);
    this.values[i] = value;
  }
}

/** Parses an R-tree; only its leaves are kept, one for each tile. */
export function readLeaves(
  reader: ByteReader,
  dimensions: readonly Dimension[],
  tiles: number,
): Bounds[] {
  reader.u32(); // children of a node
  const levels = reader.u32();
  let leaves = 0;
  for (let level = 0; level < levels; level++) {
    leaves = reader.u64();
    reader.count(leaves, leastSize(dimensions));
    if (level < levels - 1) skipLevel(reader, dimensions, leaves);
  }
  if (leaves !== tiles) throw reader.error(`an R-tree must have ${tiles} leaves: got ${leaves}`);
  return readLevel(reader, dimensions, leaves);
}

/** Bytes that a rectangle has at least. */
function leastSize(dimensions: readonly Dimension[]): number {
  return dimensions.reduce(
    (sum, { type, cellLength }) => sum + (cellLength === undefined ? 16 : 2 * type.size),
    0,
  );
}

function skipLevel(reader: ByteReader, dimensions: readonly Dimension[], count: number): void {
  if (dimensions.every(({ cellLength }) => cellLength !== undefined)) {
    reader.bytes(count * leastSize(dimensions));
    return;
  }
  for (let i = 0; i < count; i++) for (const dimension of dimensions) readRange(reader, dimension);
}

function readLevel(
  reader: ByteReader,
  dimensions: readonly Dimension[],
  count: number,
): Bounds[] {
  const numbers = dimensions.map(({ type, cellLength }) =>
    cellLength === undefined
      ? undefined
      : { min: new NumberColumn(type, count), max: new NumberColumn(type, count) }
  );
  const texts = dimensions.map(() => ({ min: [] as string[], max: [] as string[] }));
  for (let tile = 0; tile < count; tile++) {
    dimensions.forEach((dimension, d) => {
      const { min, max } = rangeOf(readRange(reader, dimension), dimension);
      const column = numbers[d];
      if (column !== undefined) {
        column.min.set(tile, min as number);
        column.max.set(tile, max as number);
      } else {
        texts[d]!.min.push(min as string);
        texts[d]!.max.push(max as string);
      }
    });
  }
  return dimensions.map((_, d) => {
    const column = numbers[d];
    return column === undefined ? texts[d]! : { min: column.min.values, max: column.max.values };
  });
}
