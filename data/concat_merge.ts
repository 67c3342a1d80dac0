/** Which of several objects' elements a concatenation keeps: anndata's merge strategies. */
import { equalValues } from "./concat_equal.ts";
import { type LazyEntry, LazyMap } from "./lazy_map.ts";
import { isDict, type UnsDict, type UnsValue } from "./uns.ts";

/** How elements are kept: see {@linkcode concat}. */
export type MergeStrategy = "same" | "unique" | "first" | "only";

/** Names that all maps have, or any; as in anndata, the former in the order of the last map, the latter of the first. */
export function jointKeys(maps: readonly LazyMap<unknown>[], any: boolean): readonly string[] {
  if (any) return [...new Set(maps.flatMap((map) => map.keys()))];
  return maps.at(-1)!.keys().filter((name) => maps.every((map) => map.has(name)));
}

/** Names of the elements that a strategy looks at, in order. */
function mergedNames<T>(maps: readonly LazyMap<T>[], strategy: MergeStrategy): readonly string[] {
  const names = jointKeys(maps, strategy !== "same");
  if (strategy !== "only") return names;
  return names.filter((name) => maps.filter((map) => map.has(name)).length === 1);
}

/**
 * Keeps elements of one name by a strategy; values are read where they have to be compared.
 *
 * @param maps The elements of each object, in one order of genes.
 * @param strategy "same": equal in all objects; "unique": equal wherever there; "first": the first; "only": of one object alone.
 * @param equal Whether a value equals the first.
 */
export async function mergeMaps<T>(
  maps: readonly LazyMap<T>[],
  strategy: MergeStrategy | null,
  equal: (later: T, first: T) => boolean | Promise<boolean>,
): Promise<LazyMap<T>> {
  const kept: [string, { load(): Promise<T> }][] = [];
  for (const name of strategy === null ? [] : mergedNames(maps, strategy)) {
    const [first, ...others] = maps.filter((map) => map.has(name)) as [LazyMap<T>, ...LazyMap<T>[]];
    let keep = true;
    if (strategy === "same" || strategy === "unique") {
      for (const other of others) {
        keep &&= await equal(await other.need(name), await first.need(name));
      }
    }
    if (keep) kept.push([name, { load: () => first.need(name) }]);
  }
  return new LazyMap("element", kept);
}

/** A dictionary as a map; a value that cannot be read throws when it is asked for. */
function mapOf(dict: UnsDict): LazyMap<UnsValue> {
  // deno-lint-ignore require-await -- a getter's error must reject
  const entry = (name: string) => [name, { load: async () => dict[name]! }] as const;
  return new LazyMap("uns", Object.keys(dict).map(entry));
}

/** What a strategy makes of dictionaries: the first one itself where it makes no other; undefined where nothing is left. */
async function mergeDicts(
  dicts: readonly UnsDict[],
  strategy: MergeStrategy,
): Promise<UnsDict | undefined> {
  const merged = await mergeUns(dicts.map(mapOf), strategy);
  const names = merged.keys();
  if (names.length === 0) return undefined;
  const values = await Promise.all(names.map((name) => merged.need(name)));
  const dict: UnsDict = Object.fromEntries(names.map((name, k) => [name, values[k]!]));
  const [first] = dicts as [UnsDict];
  const own = Object.keys(first);
  const unchanged = own.length === names.length &&
    own.every((name, k) => name === names[k] && Object.is(dict[name], first[name]));
  return unchanged ? first : dict;
}

/** Whether a strategy keeps the first of these values, none of which it looks into. */
async function keepsFirst(
  values: readonly UnsValue[],
  strategy: MergeStrategy,
): Promise<boolean> {
  if (strategy === "first") return true;
  const [first, ...others] = values as [UnsValue, ...UnsValue[]];
  if (strategy === "only") return others.length === 0;
  for (const other of others) if (!await equalValues(other, first)) return false;
  return true;
}

/**
 * Keeps unstructured values by a strategy. Where all values of a name are dictionaries, it is applied to what these hold, and
 * those of which nothing is left are left out.
 *
 * @param maps uns of each object; what the strategy looks at is read.
 * @param strategy As of {@linkcode mergeMaps}; null keeps nothing.
 * @throws {FormatError} Where a value cannot be read.
 */
export async function mergeUns(
  maps: readonly LazyMap<UnsValue>[],
  strategy: MergeStrategy | null,
): Promise<LazyMap<UnsValue>> {
  const kept: [string, LazyEntry<UnsValue>][] = [];
  for (const name of strategy === null ? [] : jointKeys(maps, strategy !== "same")) {
    const holders = maps.filter((map) => map.has(name));
    const values = await Promise.all(holders.map((map) => map.need(name)));
    const dicts = values.every(isDict) ? values : undefined;
    const value = dicts
      ? await mergeDicts(dicts, strategy!)
      : await keepsFirst(values, strategy!)
      ? values[0]
      : undefined;
    if (value === undefined) continue;
    // A value as it was read keeps its place in the file, from where it is copied when it is written.
    const own = new Map(holders[0]!.entries()).get(name)!;
    const made = { load: () => Promise.resolve(value) };
    kept.push([name, Object.is(value, values[0]) ? own : made]);
  }
  return new LazyMap("uns", kept);
}
