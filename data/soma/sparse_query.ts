/** Reads the cells of a sparse array that a query asks for, tile by tile. */
import { cellBytes, cellCount, type Cells, takeCells } from "./cells.ts";
import { keptCells } from "./delete_condition.ts";
import { DELETE_TIMES, TIMESTAMPS } from "./fragment.ts";
import { type Fragment, partsOf } from "./fragment_reader.ts";
import type { Bounds } from "./mbrs.ts";
import type { Selection } from "./selection.ts";
import { filledCells, TileReader } from "./tile_reader.ts";
import type { TileDbArray } from "./tiledb_array.ts";
import { LatestCells, type LookedAt, mayRepeat } from "./latest.ts";

/** Decides which cells stay by the values of some fields. */
export interface CellFilter {
  /** The fields that it reads. */
  readonly fields: readonly string[];
  /** Clears the marks of cells that do not stay. */
  mark(cells: (field: string) => Cells, marks: Uint8Array): void;
}

/** What to read. */
export interface SparseQuery {
  /** Names of the fields that are wanted. */
  readonly fields: readonly string[];
  /** What is wanted of each dimension; all where it is absent. */
  readonly selections: ReadonlyMap<string, Selection>;
  /** Decides by values. */
  readonly filter?: CellFilter | undefined;
  /** Looks at the cells of each tile before deletions do. */
  readonly look?: ((looked: LookedAt) => void | Promise<void>) | undefined;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** The wanted cells of one tile. */
export interface TileCells {
  /** Number of cells. */
  readonly count: number;
  /** Their values by field. */
  readonly cells: ReadonlyMap<string, Cells>;
  /** Bytes that they take. */
  readonly bytes: number;
}

/** Tiles of a fragment that may hold wanted cells. */
export async function wantedTiles(
  fragment: Fragment,
  selections: SparseQuery["selections"],
): Promise<Uint32Array> {
  const { tiles, schema } = fragment.footer;
  if (selections.size === 0) return Uint32Array.from({ length: tiles }, (_, tile) => tile);
  const bounds = await fragment.bounds();
  const tests = schema.dimensions.flatMap(({ name }, d) => {
    const selection = selections.get(name);
    return selection === undefined ? [] : [overlapTest(selection, bounds[d]!)];
  });
  const wanted = new Uint32Array(tiles);
  let count = 0;
  for (let tile = 0; tile < tiles; tile++) {
    if (tests.every((test) => test(tile))) wanted[count++] = tile;
  }
  return wanted.slice(0, count);
}

function overlapTest(selection: Selection, { min, max }: Bounds): (tile: number) => boolean {
  return (tile) => selection.overlaps(min[tile]!, max[tile]!);
}

/** Streams the wanted cells of all fragments, one tile after the other; what is read ahead stops with it. */
export async function* readSparse(
  array: TileDbArray,
  query: Omit<SparseQuery, "look">,
): AsyncGenerator<TileCells> {
  const stop = new AbortController();
  const signal = query.signal ? AbortSignal.any([query.signal, stop.signal]) : stop.signal;
  try {
    yield* mayRepeat(array)
      ? readLatest(array, { ...query, signal })
      : readFragments(array, { ...query, signal });
  } finally {
    stop.abort();
  }
}

/** Streams the last cell of each place: a first reading of the coordinates tells which those are. */
async function* readLatest(array: TileDbArray, query: SparseQuery): AsyncGenerator<TileCells> {
  const latest = new LatestCells(array);
  const look = (looked: LookedAt) => latest.note(looked);
  for await (const _ of readFragments(array, { ...query, fields: [], filter: undefined, look })) {
    // Every mark is cleared, so that nothing comes.
  }
  yield* readFragments(array, { ...query, look: (looked) => latest.drop(looked) });
}

async function* readFragments(array: TileDbArray, query: SparseQuery): AsyncGenerator<TileCells> {
  for (const [order, fragment] of array.fragments.entries()) {
    if (fragment.footer.tiles === 0) continue;
    yield* new FragmentQuery(array, fragment, { query, order }).read();
  }
}

/** A query on one fragment. */
class FragmentQuery {
  readonly #array: TileDbArray;
  readonly #fragment: Fragment;
  readonly #query: SparseQuery;
  readonly #order: number;
  readonly #readers = new Map<string, Promise<TileReader>>();
  #tiles = new Uint32Array(0);
  #fileCount = 1;

  constructor(
    array: TileDbArray,
    fragment: Fragment,
    options: { readonly query: SparseQuery; readonly order: number },
  ) {
    this.#array = array;
    this.#fragment = fragment;
    this.#query = options.query;
    this.#order = options.order;
  }

  /** Fields that say which cells stay: they are read first, and the others only of tiles where some do. */
  #deciding(): string[] {
    const { selections, filter, look } = this.#query;
    const { hasTimestamps, hasDeletes } = this.#fragment.footer;
    return [
      ...look === undefined
        ? selections.keys()
        : this.#array.schema.dimensions.map(({ name }) => name),
      ...hasTimestamps ? [TIMESTAMPS] : [],
      ...hasDeletes ? [DELETE_TIMES] : [],
      ...this.#deletions().length > 0 ? this.#array.deletionFields() : [],
      ...filter?.fields ?? [],
    ];
  }

  /** Tiles that may hold wanted coordinates mostly do; of those that a filter looks at, many are dropped. */
  #isEager(field: string): boolean {
    const { filter, look } = this.#query;
    return filter === undefined && look === undefined || this.#deciding().includes(field);
  }

  #deletions() {
    return this.#array.deletions.filter(({ time }) => time >= this.#fragment.from);
  }

  async *read(): AsyncGenerator<TileCells> {
    const { selections, fields, signal } = this.#query;
    const deciding = this.#deciding();
    const all = [...new Set([...deciding, ...fields])];
    const stored = all.flatMap((name) => this.#fragment.fields.get(name) ?? []);
    this.#fileCount = stored.reduce((sum, field) => sum + partsOf(field).length, 0);
    await abortable(this.#fragment.prepare(stored, { bounds: selections.size > 0 }), signal);
    this.#tiles = await abortable(wantedTiles(this.#fragment, selections), signal) as Uint32Array<
      ArrayBuffer
    >;
    if (this.#tiles.length === 0) return;
    const processed = this.#fragment.footer.hasDeletes && this.#deletions().length > 0
      ? await this.#fragment.processedConditions()
      : new Set<string>();
    for (let index = 0; index < this.#tiles.length; index++) {
      signal?.throwIfAborted();
      const tile = await this.#readTile(index, { deciding, processed });
      if (tile !== undefined) yield tile;
    }
  }

  /** The wanted cells of a tile, if there are any. */
  async #readTile(
    index: number,
    options: { readonly deciding: readonly string[]; readonly processed: ReadonlySet<string> },
  ): Promise<TileCells | undefined> {
    const count = this.#fragment.cells(this.#tiles[index]!);
    for (const field of new Set([...options.deciding, ...this.#query.fields])) {
      if (this.#isEager(field)) (await this.#reader(field))?.prefetch(index);
    }
    const cells = new Map<string, Cells>();
    for (const field of new Set(options.deciding)) {
      cells.set(field, await this.#cells(field, index, count));
    }
    if (options.deciding.length === 0 && this.#deletions().length === 0) {
      return await this.#take(index, { count, cells, places: undefined });
    }
    const marks = new Uint8Array(count).fill(1);
    const looked = { cells: (field: string) => cells.get(field)!, marks };
    await this.#decide(looked, this.#tiles[index]!, options.processed);
    const places = markedPlaces(marks);
    if (places.length === 0) return undefined;
    return await this.#take(index, {
      count,
      cells,
      places: places.length === count ? undefined : places,
    });
  }

  /** The wanted fields of the cells of a tile at some places, or at all of them. */
  async #take(
    index: number,
    tile: {
      readonly count: number;
      readonly cells: ReadonlyMap<string, Cells>;
      readonly places: Uint32Array | undefined;
    },
  ): Promise<TileCells> {
    const { count, cells, places } = tile;
    const { fields } = this.#query;
    for (const field of fields) {
      if (!cells.has(field)) (await this.#reader(field))?.prefetch(index);
    }
    const wanted = new Map<string, Cells>();
    let bytes = 0;
    for (const field of fields) {
      const whole = cells.get(field) ?? await this.#cells(field, index, count);
      const taken = places === undefined ? whole : takeCells(whole, places);
      wanted.set(field, taken);
      bytes += cellBytes(taken);
    }
    return { count: places?.length ?? count, cells: wanted, bytes };
  }

  /** Clears the marks of cells that are not wanted, not there yet, or deleted. */
  async #decide(
    { cells, marks }: Pick<LookedAt, "cells" | "marks">,
    tile: number,
    processed: ReadonlySet<string>,
  ): Promise<void> {
    const { selections, filter, look } = this.#query;
    for (const [name, selection] of selections) selection.mark(cells(name), marks);
    const times = this.#fragment.footer.hasTimestamps ? timesIn(cells(TIMESTAMPS)) : undefined;
    const { timestamp } = this.#array.files.settings;
    if (times) { for (let i = 0; i < marks.length; i++) if (times[i]! > timestamp) marks[i] = 0; }
    if (look) await look({ order: this.#order, tile, cells, marks, times });
    if (this.#fragment.footer.hasDeletes) {
      const deleted = timesIn(cells(DELETE_TIMES));
      for (let i = 0; i < marks.length; i++) {
        if (deleted[i]! <= timestamp && deleted[i] !== NEVER) marks[i] = 0;
      }
    }
    for (const { name, time, condition } of this.#deletions()) {
      if (processed.has(name)) continue;
      const kept = keptCells(condition, cells);
      for (let i = 0; i < marks.length; i++) {
        if (kept[i] === 0 && (times?.[i] ?? 0) <= time) marks[i] = 0;
      }
    }
    filter?.mark(cells, marks);
  }

  /** The reader of a field; undefined where the fragment is older than the field. */
  async #reader(field: string): Promise<TileReader | undefined> {
    const stored = this.#fragment.fields.get(field);
    if (stored === undefined) return undefined;
    let reader = this.#readers.get(field);
    if (reader === undefined) {
      reader = TileReader.open(this.#fragment, stored, {
        tiles: this.#tiles,
        limit: this.#array.files.settings.maxMemory,
        files: this.#fileCount,
        ahead: this.#isEager(field),
        signal: this.#query.signal,
      });
      this.#readers.set(field, reader);
    }
    return await reader;
  }

  async #cells(field: string, index: number, count: number): Promise<Cells> {
    const reader = await this.#reader(field);
    if (reader !== undefined) return await reader.read(index, count);
    const attribute = this.#array.attribute(field);
    if (attribute === undefined) {
      throw new RangeError(`Cannot read ${field} as there is no such field`);
    }
    return filledCells(attribute, count);
  }
}

const WORD = 2 ** 32;

/** When cells are deleted that are not: the greatest time, rounded. */
const NEVER = 2 ** 64;

/** Times as numbers; the greatest one, which stands for never, is rounded to {@linkcode NEVER}. */
export function timesIn(cells: Cells): Float64Array {
  const { buffer, byteOffset } = (cells as Extract<Cells, { kind: "fixed" }>).data;
  const count = cellCount(cells);
  const words = new Uint32Array(buffer, byteOffset, 2 * count);
  return Float64Array.from({ length: count }, (_, i) => words[2 * i + 1]! * WORD + words[2 * i]!);
}

function markedPlaces(marks: Uint8Array): Uint32Array {
  const places = new Uint32Array(marks.length);
  let count = 0;
  for (let i = 0; i < marks.length; i++) if (marks[i] !== 0) places[count++] = i;
  return places.subarray(0, count);
}

/** The promise, or the reason of the signal as soon as that is raised. */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  if (signal.aborted) promise.catch(() => {}); // its own failure matters no more
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
