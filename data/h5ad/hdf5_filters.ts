/** Compression filters of HDF5: which are there, and the refusal of those that are not. */
import { FormatError } from "../errors.ts";

/** A filter of a data set's pipeline. */
interface Filter {
  /** Registered number: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md */
  readonly id: number;
  /** Name as stored, often empty. */
  readonly name: string;
  /** Parameters. */
  readonly cd_values: readonly number[];
}

/** deflate, shuffle, fletcher32, szip, nbit, scaleoffset: compiled into h5wasm. */
const BUILT_IN = new Set([1, 2, 3, 4, 5, 6]);

/** Registered number -> plugin of h5wasm-plugins. */
const PLUGINS: ReadonlyMap<number, string> = new Map([
  [307, "bz2"],
  [32000, "lzf"],
  [32001, "blosc"],
  [32004, "lz4"],
  [32008, "bshuf"],
  [32013, "zfp"],
  [32015, "zstd"],
  [32026, "blosc2"],
]);

/** The file, key and kind of elements that a check is for. */
interface Place {
  /** File. */
  readonly file: string;
  /** Key. */
  readonly key: string;
  /** Whether the elements are strings of variable length. */
  readonly pointers: boolean;
}

/**
 * Makes every filter of an array available.
 *
 * @throws {FormatError} "missing-filter", naming filter, key and file: HDF5 would otherwise leave the numbers unread.
 */
export async function checkFilters(
  library: { provideFilter(plugin: string): Promise<boolean> },
  filters: readonly Filter[],
  place: Place,
): Promise<void> {
  for (const filter of filters) {
    if (BUILT_IN.has(filter.id)) continue;
    const plugin = PLUGINS.get(filter.id);
    const label = `${plugin ?? (filter.name || "unknown")} (number ${filter.id})`;
    if (plugin === "lzf" && place.pointers) {
      // Without a chunk size in its parameters the lzf plugin needs a function that h5wasm lacks, and aborts.
      throw new FormatError(
        "missing-filter",
        `Cannot read strings compressed with ${label}: write the file with gzip or without compression`,
        place,
      );
    }
    if (plugin === undefined || !await library.provideFilter(plugin)) {
      throw new FormatError(
        "missing-filter",
        `Cannot read the array as the filter ${label} is not available here: write the file with gzip, zstd or lz4`,
        place,
      );
    }
  }
}
