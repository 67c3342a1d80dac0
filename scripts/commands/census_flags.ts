/** Flags of the commands that ask the Census, and how it is opened by them. */
import { type Census, openCensus } from "../../data/census/mod.ts";
import { directoryCache, directoryStore, httpStore } from "../../data/soma/mod.ts";
import { type Context, type Flags, type FlagValues, UsageError } from "./command.ts";
import { statInput } from "./inputs.ts";

/** Flags that say which Census. */
export const CENSUS_FLAGS = {
  uri: {
    kind: "string",
    help: "store or release folder instead of a release: a folder, http(s) or s3 address",
  },
  censusVersion: {
    kind: "string",
    help: "release: stable, latest or a date such as 2025-01-30",
    byDefault: "stable",
  },
  cache: {
    kind: "string",
    help: "folder that keeps what is read from an address, which must never change",
  },
} as const satisfies Flags;

/** Flags that say which cells. */
export const CELLS_FLAGS = {
  organism: { kind: "string", help: "organism", default: "homo_sapiens" },
  obsValueFilter: {
    kind: "string",
    help: `cells by their values: 'tissue_general == "lung" and is_primary_data == True'`,
    byDefault: "all",
  },
} as const satisfies Flags;

/** Opens the Census that the flags name. */
export async function openFromFlags(
  { uri, censusVersion, cache }: FlagValues<typeof CENSUS_FLAGS>,
  { signal }: Context,
): Promise<Census> {
  if (uri !== undefined && censusVersion !== undefined) {
    throw new UsageError("Cannot run as either --uri or --census-version must be given: got both");
  }
  const remote = uri === undefined || isAddress(uri);
  return await openCensus({
    ...uri !== undefined && await placesOf(uri, signal),
    ...censusVersion !== undefined && { version: censusVersion },
    ...cache !== undefined && remote && { cache: directoryCache(cache) },
    signal,
  });
}

function isAddress(uri: string): boolean {
  return /^(https?|s3):\/\//i.test(uri);
}

/** Address of the store and of the source files: of a release folder, its parts `soma` and `h5ads`. */
async function placesOf(
  uri: string,
  signal: AbortSignal,
): Promise<{ uri: string; h5ads?: string }> {
  if (!isAddress(uri)) await statInput(uri);
  const store = isAddress(uri) ? httpStore(uri) : directoryStore(uri);
  const names = (await store.list("", { signal })).map(({ name }) => name);
  if (names.length === 0) {
    throw new UsageError(`Cannot open the Census as nothing is at ${uri}`);
  }
  const isGroup = names.includes("__tiledb_group.tdb") || names.includes("__group");
  const folder = uri.replace(/\/+$/, "");
  if (!isGroup && names.includes("soma")) {
    return { uri: `${folder}/soma`, h5ads: `${folder}/h5ads` };
  }
  return /\/soma$/.test(folder) ? { uri, h5ads: folder.replace(/soma$/, "h5ads") } : { uri };
}
