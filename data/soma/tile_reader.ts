/** Decodes the tiles of some fields of a fragment, in order. */
import type { RangeReader } from "./byte_ranges.ts";
import { type Cells, fixedCells, repeatCell, variableCells } from "./cells.ts";
import { UINT64, UINT8 } from "./datatype.ts";
import { type FilterContext, keepsBounds } from "./filters/unfilter.ts";
import type { Fragment, Part } from "./fragment_reader.ts";
import { partsOf } from "./fragment_reader.ts";
import type { StoredField } from "./fragment.ts";
import { checkMemory, unpackTile } from "./tile.ts";

/** Readers of the parts of a field. */
type Readers = Partial<Record<Part, RangeReader>>;

/** How tiles are read. */
export interface TileOptions {
  /** The tiles, ascending. */
  readonly tiles: ArrayLike<number>;
  /** Most bytes of memory that a tile may take. */
  readonly limit: number;
  /** Number of files that are read at a time. */
  readonly files: number;
  /** Whether tiles are read before they are asked for. */
  readonly ahead: boolean;
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
}

/** Tiles of one field, which are asked for by their places in the list of tiles, in ascending order. */
export class TileReader {
  readonly #fragment: Fragment;
  readonly #field: StoredField;
  readonly #readers: Readers;
  readonly #limit: number;
  readonly #textual: boolean;

  private constructor(fragment: Fragment, field: StoredField, readers: Readers, limit: number) {
    this.#fragment = fragment;
    this.#field = field;
    this.#readers = readers;
    this.#limit = limit;
    this.#textual = bounded(fragment, field);
  }

  /** Opens the tiles of a field. */
  static async open(
    fragment: Fragment,
    field: StoredField,
    options: TileOptions,
  ): Promise<TileReader> {
    const readers: Readers = {};
    for (const part of partsOf(field)) {
      if (part === "data" && bounded(fragment, field)) continue;
      readers[part] = await fragment.tiles(field, part, options);
    }
    return new TileReader(fragment, field, readers, options.limit);
  }

  /** Starts to read a tile. */
  prefetch(index: number): void {
    for (const reader of Object.values(this.#readers)) reader.prefetch(index);
  }

  /** The cells of a tile. */
  async read(index: number, count: number): Promise<Cells> {
    const { type, cellLength } = this.#field;
    checkMemory(count * 8, this.#limit, this.#fragment.placeOf(this.#field, "data"));
    const [valid, data] = [await this.#validity(index, count), await this.#data(index, count)];
    if (cellLength !== undefined) return fixedCells(data.bytes, { type, cellLength }, valid);
    const texts = await this.#texts(index, count);
    const starts = this.#textual ? texts.starts! : startsOf(data.bytes);
    const place = this.#fragment.placeOf(this.#field, "texts");
    return variableCells(texts.bytes, starts, { type, valid, place });
  }

  async #data(index: number, count: number) {
    const { type, filters, cellLength } = this.#field;
    if (this.#textual) return { bytes: new Uint8Array(0) };
    const { schema } = this.#fragment.footer;
    const context = cellLength === undefined
      ? { filters: schema.offsetFilters, type: UINT64, cellSize: 8 }
      : { filters, type, cellSize: type.size * cellLength };
    return await this.#unpack("data", index, { ...context, expected: count * context.cellSize });
  }

  async #texts(index: number, count: number) {
    const { type, filters } = this.#field;
    const context = { filters, type, cellSize: type.size };
    return await this.#unpack("texts", index, {
      ...context,
      ...this.#textual && { strings: true, texts: count },
    });
  }

  async #validity(index: number, count: number): Promise<Uint8Array | undefined> {
    if (!this.#field.nullable) return undefined;
    const { schema } = this.#fragment.footer;
    const context = { filters: schema.validityFilters, type: UINT8, cellSize: 1 };
    return (await this.#unpack("validity", index, { ...context, expected: count })).bytes;
  }

  async #unpack(
    part: Part,
    index: number,
    options: Omit<FilterContext, "version"> & { expected?: number; texts?: number },
  ) {
    const { expected, texts, ...context } = options;
    const place = this.#fragment.placeOf(this.#field, part);
    if (expected !== undefined) checkMemory(expected, this.#limit, place);
    const stored = await this.#readers[part]!.get(index);
    return await unpackTile(stored, { ...context, version: this.#fragment.footer.version }, {
      limit: this.#limit,
      place,
      ...expected !== undefined && { expected },
      ...texts !== undefined && { texts },
    });
  }
}

/** Whether the filters of a field keep the starts of its cells. */
function bounded(fragment: Fragment, { type, filters, cellLength }: StoredField): boolean {
  return cellLength === undefined && keepsBounds(filters, type, fragment.footer.version);
}

const WORD = 2 ** 32;

/** Starts as numbers; those that are too large are refused when they are compared with the bytes there are. */
function startsOf(bytes: Uint8Array<ArrayBuffer>): Float64Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const starts = new Float64Array(words.length / 2);
  for (let i = 0; i < starts.length; i++) starts[i] = words[2 * i]! + words[2 * i + 1]! * WORD;
  return starts;
}

/** Cells of an attribute that was added after a fragment was written. */
export function filledCells(
  attribute: {
    readonly type: StoredField["type"];
    readonly cellLength: number | undefined;
    readonly fill: Uint8Array;
    readonly nullable: boolean;
    readonly fillValid: boolean;
  },
  count: number,
): Cells {
  const valid = attribute.nullable ? attribute.fillValid : undefined;
  return repeatCell(attribute, attribute.fill, { count, valid });
}
