/** Reads fragments: their index, which is kept, and their tiles. */
import { FormatError } from "../errors.ts";
import { type RangeOptions, RangeReader } from "./byte_ranges.ts";
import { ByteReader, corrupt, type Place } from "./bytes.ts";
import { timesOf } from "./commits.ts";
import { type ArrayFiles, needEntry } from "./files.ts";
import {
  cellsOf,
  checkFooter,
  type Footer,
  parseFooter,
  type StoredField,
  storedFields,
} from "./fragment.ts";
import { keep } from "./keep.ts";
import { type Bounds, readLeaves } from "./mbrs.ts";
import type { Schema } from "./schema.ts";
import { joinPath, type StoreEntry } from "./store.ts";

/** Bytes of the end of a metadata file that are read first: the footer and, in small fragments, all of it. */
const TAIL = 64 * 1024;

const METADATA = "__fragment_metadata.tdb";

/** The parts of a field, each a file. */
export type Part = "data" | "texts" | "validity";

const SUFFIXES: Readonly<Record<Part, string>> = { data: "", texts: "_var", validity: "_validity" };

/** A list in the metadata: the R-tree, the processed conditions, or the offsets of a part of a field. */
type ListKey = "rtree" | "conditions" | `${Part}:${number}`;

/** An opened fragment. */
export class Fragment {
  /** Its name. */
  readonly name: string;
  /** When its first cell was written. */
  readonly from: number;
  /** When its last cell was written. */
  readonly to: number;
  /** What its footer says. */
  readonly footer: Footer;
  /** Its fields by name. */
  readonly fields: ReadonlyMap<string, StoredField>;
  readonly #files: ArrayFiles;
  readonly #entries: ReadonlyMap<string, StoreEntry>;
  readonly #tail: Tail | undefined;
  readonly #lists = new Map<ListKey, Promise<Uint8Array>>();
  readonly #offsets = new Map<ListKey, Promise<Float64Array>>();
  readonly #bounds = new Map<ListKey, Promise<Bounds[]>>();

  private constructor(
    files: ArrayFiles,
    name: string,
    parts: {
      readonly footer: Footer;
      readonly entries: readonly StoreEntry[];
      readonly tail?: Tail;
    },
  ) {
    const place = files.place(joinPath("__fragments", name));
    checkFooter(parts.footer, place);
    ({ from: this.from, to: this.to } = timesOf(name, place));
    this.name = name;
    this.footer = parts.footer;
    this.fields = storedFields(parts.footer);
    this.#files = files.kept();
    this.#entries = new Map(parts.entries.map((entry) => [entry.name, entry]));
    this.#tail = parts.tail;
  }

  /**
   * Opens a fragment.
   *
   * @param files The array.
   * @param name Name of the fragment.
   * @param options `schemas`: a schema by the name of its file; `footer`: the footer, where it was read with others.
   */
  static async open(
    files: ArrayFiles,
    name: string,
    options: {
      readonly schemas: (name: string) => Schema | undefined;
      readonly footer?: ByteReader | undefined;
    },
  ): Promise<Fragment> {
    const folder = joinPath("__fragments", name);
    const entries = await files.list(folder);
    if (options.footer !== undefined) {
      return new Fragment(files, name, {
        footer: parseFooter(options.footer, options.schemas),
        entries,
      });
    }
    const { size } = needEntry(entries, METADATA, files.place(folder));
    const tail = await readTail(files, joinPath(folder, METADATA), size);
    return new Fragment(files, name, {
      footer: parseFooter(tail.footer, options.schemas),
      entries,
      tail,
    });
  }

  /** Cells of a tile. */
  cells(tile: number): number {
    return cellsOf(this.footer, tile);
  }

  /** What each tile covers, by dimension. */
  async bounds(): Promise<Bounds[]> {
    return await keep(this.#bounds, "rtree", () => this.#readBounds());
  }

  async #readBounds(): Promise<Bounds[]> {
    const { tiles, schema } = this.footer;
    const reader = new ByteReader(await this.#list("rtree"), this.#place(METADATA), {
      what: "an R-tree",
    });
    this.#lists.delete("rtree");
    return readLeaves(reader, schema.dimensions, tiles);
  }

  /** Names of the deletions that its cells have already been through. */
  async processedConditions(): Promise<ReadonlySet<string>> {
    if (this.footer.lists.conditions === 0) return new Set();
    const reader = new ByteReader(await this.#list("conditions"), this.#place(METADATA), {
      what: "processed conditions",
    });
    const count = reader.count(reader.u64(), 8);
    const names = Array.from({ length: count }, () => reader.text(reader.u64()));
    return new Set(names.map((name) => name.slice(name.lastIndexOf("/") + 1)));
  }

  /** Reads the lists that the tiles of some fields need, by few requests. */
  async prepare(
    fields: readonly StoredField[],
    options: { readonly bounds: boolean },
  ): Promise<void> {
    const keys = fields.flatMap((field) =>
      partsOf(field).map((part): ListKey => `${part}:${field.slot}`)
    );
    await this.#load(options.bounds ? ["rtree", ...keys] : keys);
  }

  /** A reader of some tiles of a part of a field, which are asked for by their places in `tiles`. */
  async tiles(
    field: StoredField,
    part: Part,
    options: Omit<RangeOptions, "wanted"> & { readonly tiles: ArrayLike<number> },
  ): Promise<RangeReader> {
    const file = joinPath(joinPath("__fragments", this.name), `${field.file}${SUFFIXES[part]}.tdb`);
    const size = this.footer.sizes[part][field.slot]!;
    const there = this.#entries.get(`${field.file}${SUFFIXES[part]}.tdb`)?.size ?? 0;
    if (size > there) {
      throw new FormatError(
        "truncated",
        `Cannot read a file as it was cut off: it has ${there} bytes of ${size}`,
        this.#files.place(file),
      );
    }
    const offsets = await this.#tileOffsets(field, part, size);
    const { tiles, ...rest } = options;
    const wanted = {
      starts: Float64Array.from(tiles, (tile) => offsets[tile]!),
      ends: Float64Array.from(tiles, (tile) => offsets[tile + 1] ?? size),
    };
    return new RangeReader(this.#files, file, { wanted, ...rest });
  }

  /** Number of tiles, which dense fragments say only by the length of a list. */
  async tileCount(field: StoredField): Promise<number> {
    const size = this.footer.sizes.data[field.slot]!;
    return (await this.#tileOffsets(field, "data", size)).length;
  }

  /** Where a part of a field is, for messages. */
  placeOf(field: StoredField, part: Part): Place {
    return this.#place(`${field.file}${SUFFIXES[part]}.tdb`);
  }

  #place(file: string) {
    return this.#files.place(joinPath(joinPath("__fragments", this.name), file));
  }

  async #tileOffsets(field: StoredField, part: Part, size: number): Promise<Float64Array> {
    const key: ListKey = `${part}:${field.slot}`;
    return await keep(this.#offsets, key, () => this.#readOffsets(key, size));
  }

  async #readOffsets(key: ListKey, size: number): Promise<Float64Array> {
    const reader = new ByteReader(await this.#list(key), this.#place(METADATA), {
      what: "tile offsets",
    });
    this.#lists.delete(key);
    const offsets = reader.u64s(reader.count(reader.u64(), 8));
    if (!this.footer.dense && offsets.length !== this.footer.tiles) {
      throw reader.error(`there must be ${this.footer.tiles} of them: got ${offsets.length}`);
    }
    const bad = offsets.findIndex((offset, i) => offset > (offsets[i + 1] ?? size));
    if (bad !== -1) {
      throw reader.error(`they must ascend up to ${size}: tile ${bad} has ${offsets[bad]}`);
    }
    return offsets;
  }

  async #list(key: ListKey): Promise<Uint8Array> {
    await this.#load([key]);
    return await this.#lists.get(key)!;
  }

  /** Reads lists that are not there yet: those near each other by one request. */
  async #load(keys: readonly ListKey[]): Promise<void> {
    const missing = [...new Set(keys)].filter((key) =>
      !this.#lists.has(key) && !this.#offsets.has(key) && !this.#bounds.has(key)
    ).map((key) => ({ key, ...this.#listRange(key) })).sort((a, b) => a.start - b.start);
    const path = joinPath(joinPath("__fragments", this.name), METADATA);
    const stored = missing.filter(({ start }) =>
      this.#tail === undefined || start < this.#tail.offset
    );
    const ranges = new RangeReader(this.#files, path, {
      wanted: { starts: stored.map(({ start }) => start), ends: stored.map(({ end }) => end) },
      files: 1,
      ahead: true,
      signal: undefined,
    });
    const place = this.#files.place(path);
    for (const { key, start } of missing) {
      const at = stored.findIndex((list) => list.key === key);
      const bytes = at === -1
        ? Promise.resolve(this.#tail!.bytes.subarray(start - this.#tail!.offset))
        : ranges.get(at);
      const list = bytes.then((bytes) => this.#files.unpack(bytes, place));
      this.#lists.set(key, list);
      await list.catch((error) => {
        this.#lists.delete(key);
        throw error;
      });
    }
  }

  /** Where a list lies in the metadata; it ends where the next one starts. */
  #listRange(key: ListKey): { start: number; end: number } {
    const { lists } = this.footer;
    const [part, slot] = key.split(":");
    const start = key === "rtree" || key === "conditions"
      ? lists[key]
      : lists[part as Part][Number(slot)]!;
    const size = this.#entries.get(METADATA)?.size ?? 0;
    const end = lists.all.find((other) => other > start) ?? size;
    if (start > size || end > size) {
      throw corrupt(
        `Cannot read a list as it must be in the ${size} bytes of its file: it is at ${start}`,
        this.#place(METADATA),
      );
    }
    return { start, end };
  }
}

/** The end of a metadata file. */
interface Tail {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** Reads the end of a metadata file: at least its footer. */
async function readTail(
  files: ArrayFiles,
  path: string,
  size: number,
): Promise<Tail & { readonly footer: ByteReader }> {
  const place = files.place(path);
  let length = Math.min(size, TAIL, files.settings.maxMemory);
  for (;;) {
    const offset = size - length;
    const bytes = await files.range(path, { offset, length });
    const end = new ByteReader(bytes.subarray(-8), place, { what: "the length of a footer" });
    const needed = end.u64() + 8;
    if (needed > size) {
      throw corrupt(`Cannot read a footer as its file has ${size} bytes: it has ${needed}`, place);
    }
    if (needed <= length) {
      const what = { what: "a footer", base: size - needed };
      return {
        bytes,
        offset,
        footer: new ByteReader(bytes.subarray(length - needed, length - 8), place, what),
      };
    }
    length = needed;
  }
}

/** The parts that a field has. */
export function partsOf(field: StoredField): Part[] {
  return [
    "data",
    ...field.cellLength === undefined ? ["texts" as const] : [],
    ...field.nullable ? ["validity" as const] : [],
  ];
}
