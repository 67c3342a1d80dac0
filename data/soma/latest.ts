/** Arrays that keep one cell at a place: the last one that was written there. */
import { FormatError } from "../errors.ts";
import { cellCount, type Cells } from "./cells.ts";
import type { Fragment } from "./fragment_reader.ts";
import { byteText, rangeOf } from "./mbrs.ts";
import { roundedNumbers } from "./selection.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** Cells of a tile that are looked at. */
export interface LookedAt {
  /** Place of the fragment in the array. */
  readonly order: number;
  /** The tile. */
  readonly tile: number;
  /** Values by field: the dimensions at least. */
  readonly cells: (field: string) => Cells;
  /** 1 where a cell is wanted so far. */
  readonly marks: Uint8Array;
  /** When each cell was written, where the fragment says it. */
  readonly times: Float64Array | undefined;
}

/** A cell in the order of writing. */
interface Written {
  readonly time: number;
  /** Place of its fragment, which decides between equal times. */
  readonly order: number;
}

/** Coordinates of a cell range of one dimension. */
interface Range {
  readonly min: number | string;
  readonly max: number | string;
}

/** Bytes that an entry of the list of repeated cells takes, about. */
const ENTRY = 200;

/** Whether an array may hold several cells at one place of which only the last counts. */
export function mayRepeat(array: TileDbArray): boolean {
  if (array.schema.allowsDuplicates) return false;
  if (array.fragments.some(repeatsItself)) return true;
  const domains = domainsOf(array);
  return domains.some((domain, i) => domains.slice(i + 1).some((other) => meet(domain, other)));
}

/** Consolidation keeps earlier cells beside later ones, next to each other. */
function repeatsItself({ footer, from, to }: Fragment): boolean {
  return footer.hasTimestamps && from !== to;
}

/** The ranges of each fragment by dimension; empty lists meet nothing. */
function domainsOf({ schema, fragments }: TileDbArray): Range[][] {
  return fragments.map(({ footer }) =>
    footer.domain?.map((range, d) => rangeOf(range, schema.dimensions[d]!)) ?? []
  );
}

function meet(a: readonly Range[], b: readonly Range[]): boolean {
  return a.length > 0 && b.length > 0 &&
    a.every(({ min, max }, d) => min <= b[d]!.max && b[d]!.min <= max);
}

/**
 * The last cells at places that were written several times. A first reading of the coordinates notes them, so that
 * what is kept grows with the number of cells that may be repeated alone; a second reading drops the others.
 */
export class LatestCells {
  readonly #array: TileDbArray;
  readonly #domains: readonly Range[][];
  readonly #written = new Map<string, Written>();
  readonly #noted = new Set<string>();

  /** Makes it; nothing is noted. */
  constructor(array: TileDbArray) {
    this.#array = array;
    this.#domains = domainsOf(array);
  }

  /** Notes the cells of a tile that may be repeated, and clears all marks. */
  async note(looked: LookedAt): Promise<void> {
    const { order, tile, marks } = looked;
    const columns = this.#columns(looked);
    const everywhere = await this.#meetsOthers(order, tile);
    const count = marks.length;
    for (let i = 0; i < count; i++) {
      // Cells at the ends of a tile may be repeated in its neighbours.
      const repeated = everywhere || i === 0 || i === count - 1 ||
        sameCell(columns, i, i - 1) || sameCell(columns, i, i + 1);
      if (repeated && marks[i] !== 0) {
        this.#noteCell(keyOf(columns, i), looked, i);
      }
    }
    marks.fill(0);
  }

  /** Clears the marks of cells that are not the last ones. */
  drop(looked: LookedAt): void {
    const { order, tile, marks } = looked;
    if (!this.#noted.has(`${order}:${tile}`)) return;
    const columns = this.#columns(looked);
    for (let i = 0; i < marks.length; i++) {
      if (marks[i] === 0) continue;
      const last = this.#written.get(keyOf(columns, i));
      if (last !== undefined && isAfter(last, this.#writtenAt(looked, i))) marks[i] = 0;
    }
  }

  #noteCell(key: string, looked: LookedAt, i: number): void {
    const written = this.#writtenAt(looked, i);
    const known = this.#written.get(key);
    if (known === undefined || isAfter(written, known)) this.#written.set(key, written);
    this.#noted.add(`${looked.order}:${looked.tile}`);
    const { maxMemory } = this.#array.files.settings;
    if (this.#written.size * ENTRY <= maxMemory) return;
    throw new FormatError(
      "memory",
      `Cannot tell the last of repeated cells as more than ${this.#written.size} of them take more than ` +
        `maxMemory ${maxMemory}: select fewer coordinates`,
      this.#array.files.place(""),
    );
  }

  /** Whether cells of a tile may be at places of other fragments. */
  async #meetsOthers(order: number, tile: number): Promise<boolean> {
    const bounds = await this.#array.fragments[order]!.bounds();
    const range = bounds.map(({ min, max }) => ({ min: min[tile]!, max: max[tile]! }));
    return this.#domains.some((other, i) => i !== order && meet(range, other));
  }

  /** Coordinates of cells as values that are compared; those of 64 bits are not rounded. */
  #columns({ cells }: LookedAt): ArrayLike<Value>[] {
    return this.#array.schema.dimensions.map((dimension) => {
      const values = cells(dimension.name);
      if (values.kind === "fixed") {
        return dimension.type.size === 8 ? values.data : roundedNumbers(values, dimension);
      }
      const { bytes, starts } = values;
      return Array.from(
        { length: cellCount(values) },
        (_, i) => byteText(bytes.subarray(starts[i]!, starts[i + 1]!)),
      );
    });
  }

  #writtenAt({ times, order }: LookedAt, i: number): Written {
    return { time: times?.[i] ?? this.#array.fragments[order]!.from, order };
  }
}

type Value = number | bigint | string;

function sameCell(columns: readonly ArrayLike<Value>[], a: number, b: number): boolean {
  return columns.every((column) => column[a] === column[b]);
}

/** A text that differs where the coordinates do: lengths keep texts apart that hold the separator. */
function keyOf(columns: readonly ArrayLike<Value>[], i: number): string {
  return columns.map((column) => {
    const text = String(column[i]!);
    return `${text.length}:${text}`;
  }).join();
}

function isAfter(a: Written, b: Written): boolean {
  return a.time > b.time || a.time === b.time && a.order > b.order;
}
