/** Which coordinates of a dimension are asked for. */
import { cellCount, type Cells } from "./cells.ts";
import { byteText, coordinateOf, numberAt } from "./mbrs.ts";
import type { Dimension } from "./schema.ts";

/** A coordinate: a text where the dimension holds texts. */
export type Coordinate = number | bigint | string;

/**
 * Coordinates of a dimension: one, a list of them, or all from `min` to `max`, both included as everywhere in SOMA.
 */
export type Coordinates =
  | Coordinate
  | ArrayLike<Coordinate>
  | { readonly min?: Coordinate; readonly max?: Coordinate };

/** Ranges that are asked for: sorted, apart from each other, both ends included. */
interface Ranges<T> {
  readonly min: ArrayLike<T>;
  readonly max: ArrayLike<T>;
}

/** The coordinates of one dimension that are asked for. */
export interface Selection {
  /** Whether a tile with these bounds may hold some. */
  overlaps(min: number | string, max: number | string): boolean;
  /** Clears the marks of cells that are not asked for. */
  mark(cells: Cells, marks: Uint8Array): void;
}

/** Index of the range that holds a value or would follow it. */
function search<T extends Coordinate>({ max }: Ranges<T>, value: T): number {
  let [low, high] = [0, max.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (max[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function holds<T extends Coordinate>(ranges: Ranges<T>, value: T): boolean {
  const at = search(ranges, value);
  return at < ranges.min.length && ranges.min[at]! <= value;
}

function meets<T extends Coordinate>(ranges: Ranges<T>, min: T, max: T): boolean {
  const at = search(ranges, min);
  return at < ranges.min.length && ranges.min[at]! <= max;
}

/** Refuses a coordinate that a dimension cannot have; integers come as bigint. */
function check(value: unknown, dimension: Dimension): Coordinate {
  const { name, type, cellLength } = dimension;
  const text = cellLength === undefined;
  const fail = (rule: string) =>
    new TypeError(`Cannot select coordinates of ${name} as they must be ${rule}: got ${value}`);
  if (text) {
    if (typeof value === "string") return byteText(new TextEncoder().encode(value));
    throw fail("texts");
  }
  if (type.kind === "float") {
    if (typeof value === "number" && !Number.isNaN(value)) return value;
    throw fail("numbers");
  }
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  throw fail("integers within 2^53, or bigint");
}

/** The ranges of what a caller asks for. */
function rangesOf(wanted: Coordinates, dimension: Dimension): [Coordinate, Coordinate][] {
  if (typeof wanted !== "object") {
    const value = check(wanted, dimension);
    return [[value, value]];
  }
  if ("length" in wanted) {
    return Array.from(wanted, (value) => {
      const checked = check(value, dimension);
      return [checked, checked];
    });
  }
  const lowest = dimension.cellLength === undefined ? "" : -Infinity;
  const highest = dimension.cellLength === undefined ? undefined : Infinity;
  const bound = (value: Coordinate | undefined, other: Coordinate | undefined) =>
    value === undefined ? other : check(value, dimension);
  const [min, max] = [bound(wanted.min, lowest)!, bound(wanted.max, highest)];
  if (max !== undefined && min > max) {
    throw new RangeError(
      `Cannot select coordinates of ${dimension.name} as min must be at most max: got ${wanted.min} .. ${wanted.max}`,
    );
  }
  return [[min, max ?? ENDLESS]];
}

/** A text after all others: bytes of UTF-8 are below it. */
const ENDLESS = "\uffff";

/** Sorts ranges and joins those that touch: equal ends, or integers that follow each other. */
function join(ranges: [Coordinate, Coordinate][], integers: boolean): [Coordinate, Coordinate][] {
  const joined: [Coordinate, Coordinate][] = [];
  for (const [min, max] of ranges.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)) {
    const last = joined.at(-1);
    const touches = last !== undefined &&
      (min <= last[1] || integers && typeof last[1] === "bigint" && min === last[1] + 1n);
    if (!touches) joined.push([min, max]);
    else if (max > last[1]) last[1] = max;
  }
  return joined;
}

/** Whether a bound can be compared as a number without loss. */
function isSafe(value: Coordinate): boolean {
  return typeof value === "number" ||
    typeof value === "bigint" && Number.isSafeInteger(Number(value));
}

/** Ranges of a long list of integers, where all of them are safe; undefined for other lists. */
function integerRanges(wanted: Coordinates): Ranges<number> | undefined {
  if (typeof wanted !== "object" || !("length" in wanted)) return undefined;
  const sorted = new Float64Array(wanted.length);
  for (let i = 0; i < sorted.length; i++) {
    const value = wanted[i]!;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return undefined;
    sorted[i] = value;
  }
  sorted.sort();
  const [min, max] = [new Float64Array(sorted.length), new Float64Array(sorted.length)];
  let count = 0;
  for (const value of sorted) {
    if (count > 0 && value <= max[count - 1]! + 1) max[count - 1] = value;
    else [min[count], max[count++]] = [value, value];
  }
  return { min: min.subarray(0, count), max: max.subarray(0, count) };
}

/** Compiles what a caller asks for of a dimension. */
export function selectionOf(wanted: Coordinates, dimension: Dimension): Selection {
  const integers = dimension.type.kind !== "float" && dimension.cellLength !== undefined;
  const listed = integers ? integerRanges(wanted) : undefined;
  if (listed !== undefined) return numberSelection(listed, dimension);
  const joined = join(rangesOf(wanted, dimension), integers);
  const widened = integers ? joined.map((range) => widen(range, dimension)) : joined;
  if (dimension.cellLength === undefined) return textSelection(widened as [string, string][]);
  const numbers = {
    min: Float64Array.from(widened, ([min]) => Number(min)),
    max: Float64Array.from(widened, ([, max]) => Number(max)),
  };
  return widened.every((range) => range.every(isSafe))
    ? numberSelection(numbers, dimension)
    : bigSelection(numbers, widened);
}

/** A range that covers its side of the domain is endless there, so that its end need not be exact. */
function widen(
  [min, max]: [Coordinate, Coordinate],
  dimension: Dimension,
): [Coordinate, Coordinate] {
  const { domain, type } = dimension;
  const lowest = coordinateOf(domain!.subarray(0, type.size), dimension) as number;
  const highest = coordinateOf(domain!.subarray(type.size), dimension) as number;
  return [
    Number(min) <= lowest && !isSafe(min) ? -Infinity : min,
    Number(max) >= highest && !isSafe(max) ? Infinity : max,
  ];
}

function textSelection(wanted: readonly [string, string][]): Selection {
  const ranges = { min: wanted.map(([min]) => min), max: wanted.map(([, max]) => max) };
  return {
    overlaps: (min, max) => meets(ranges, min as string, max as string),
    mark(cells, marks) {
      if (cells.kind !== "variable") return;
      for (let i = 0; i < marks.length; i++) {
        if (marks[i] === 0) continue;
        const text = byteText(cells.bytes.subarray(cells.starts[i]!, cells.starts[i + 1]!));
        if (!holds(ranges, text)) marks[i] = 0;
      }
    },
  };
}

function numberSelection(ranges: Ranges<number>, dimension: Dimension): Selection {
  const single = ranges.min.length === 1;
  const [least, most] = [ranges.min[0]!, ranges.max[0]!];
  return {
    overlaps: (min, max) => meets(ranges, min as number, max as number),
    mark(cells, marks) {
      const values = roundedNumbers(cells, dimension);
      if (single) {
        for (let i = 0; i < marks.length; i++) {
          if (values[i]! < least || values[i]! > most) marks[i] = 0;
        }
        return;
      }
      // Cells of one row follow each other.
      let [last, held] = [NaN, false];
      for (let i = 0; i < marks.length; i++) {
        const value = values[i]!;
        if (value !== last) [last, held] = [value, holds(ranges, value)];
        if (!held) marks[i] = 0;
      }
    },
  };
}

/** Bounds beyond 2^53: cells are compared as they are stored. */
function bigSelection(
  numbers: Ranges<number>,
  wanted: readonly [Coordinate, Coordinate][],
): Selection {
  const ranges = { min: wanted.map(([min]) => min), max: wanted.map(([, max]) => max) };
  return {
    overlaps: (min, max) => meets(numbers, min as number, max as number),
    mark(cells, marks) {
      if (cells.kind !== "fixed") return;
      for (let i = 0; i < marks.length; i++) {
        if (marks[i] !== 0 && !holds<Coordinate>(ranges, cells.data[i]!)) marks[i] = 0;
      }
    },
  };
}

const WORD = 2 ** 32;

/** Coordinates as numbers, rounded beyond 2^53, where no bound that is compared with them lies. */
export function roundedNumbers(cells: Cells, dimension: Dimension): ArrayLike<number> {
  if (cells.kind !== "fixed") throw new TypeError(`Cannot compare texts of ${dimension.name}`);
  const { data } = cells;
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return data;
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const high = data instanceof BigInt64Array
    ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length)
    : low;
  const numbers = new Float64Array(cellCount(cells));
  for (let i = 0; i < numbers.length; i++) numbers[i] = high[2 * i + 1]! * WORD + low[2 * i]!;
  return numbers;
}

/** Least or greatest coordinate that a dimension allows, where it is a number. */
export function domainOf(
  dimension: Dimension,
): { readonly min: number; readonly max: number } | undefined {
  const { domain, type } = dimension;
  if (domain === undefined) return undefined;
  const view = new DataView(domain.buffer, domain.byteOffset, domain.byteLength);
  return { min: numberAt(view, 0, type), max: numberAt(view, type.size, type) };
}
