/** Compression filters of HDF5: which are there, and the refusal of those that are not. */
import { FormatError } from "../errors.ts";

/** A filter of a data set's pipeline. */
export interface Filter {
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
  [32001, "blosc"],
  [32004, "lz4"],
  [32008, "bshuf"],
  [32013, "zfp"],
  [32015, "zstd"],
  [32026, "blosc2"],
]);

/** Compressors inside Blosc, by their place in its parameters, that the plugins name but were built without; zlib's lack aborts. */
const BLOSC_LACKS: ReadonlyMap<number, string> = new Map([[3, "Snappy"], [4, "zlib"]]);

/** The filter that is not available here. */
function missing(label: string, place: { file: string; key: string }): FormatError {
  const reason = `Cannot read the array as the filter ${label} is not available here: ` +
    "write the file with gzip, zstd or lz4";
  return new FormatError("missing-filter", reason, place);
}

/**
 * Makes every filter of an array available.
 *
 * @throws {FormatError} "missing-filter", naming filter, key and file: HDF5 would otherwise leave the numbers unread.
 */
export async function checkFilters(
  library: { provideFilter(plugin: string): Promise<boolean> },
  filters: readonly Filter[],
  place: { readonly file: string; readonly key: string },
): Promise<void> {
  for (const { id, name, cd_values } of filters) {
    if (BUILT_IN.has(id)) continue;
    const plugin = PLUGINS.get(id);
    const inner = plugin?.startsWith("blosc") ? BLOSC_LACKS.get(cd_values[6] ?? 0) : undefined;
    if (inner !== undefined) throw missing(`${plugin} with ${inner}`, place);
    if (plugin !== undefined && await library.provideFilter(plugin)) continue;
    throw missing(`${plugin ?? (name || "unknown")} (number ${id})`, place);
  }
}
