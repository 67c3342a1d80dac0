/** Opens the Census. */
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import {
  type ByteCache,
  cachedStore,
  directoryStore,
  httpStore,
  openSoma,
  type Store,
} from "../soma/mod.ts";
import { Census, type CensusParts } from "./census.ts";
import {
  type CensusRelease,
  type Fetch,
  fetchJson,
  getCensusVersionDescription,
} from "./releases.ts";

/** How the Census is opened. */
export interface OpenCensusOptions {
  /** Release: "stable" (unless given), "latest", or a date such as "2025-01-30". */
  readonly version?: string;
  /** A store, or its address or folder, instead of a release: a copy of one's own. */
  readonly uri?: string | URL | Store;
  /** Where source files lie: a store, or its address or folder; those of the release unless given. */
  readonly h5ads?: string | URL | Store;
  /** Where what is read is kept: releases never change. */
  readonly cache?: ByteCache;
  /** Fetches instead of the platform's own: in a page, through a proxy that allows other origins. */
  readonly fetch?: Fetch;
  /** Most bytes of memory that reading may take at once; 1 GiB unless given. */
  readonly maxMemory?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

const CONTRIBUTED =
  "https://contrib.cellxgene.cziscience.com/contrib/cell-census/contributions.json";
const EMBEDDINGS = "s3://cellxgene-contrib-public/contrib/cell-census/soma";

/**
 * Opens the CELLxGENE Census, or a store that is laid out like it.
 *
 * @param options Which release or store, and how it is read.
 * @returns The opened Census; nothing has to be closed.
 * @throws {RangeError} Where there is no such release, or it was withdrawn.
 * @throws {FormatError} Where a store cannot be read.
 *
 * @example Lung cells of a store that is laid out like the Census
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCensus } from "@scgpt/sdk/data/census";
 *
 * const census = await openCensus({ uri: "tests/fixtures/soma/census" }); // { version: "stable" } for the public one
 * const lung = await census.getAnnData({ organism: "homo_sapiens", obsValueFilter: 'tissue == "lung"' });
 * let cells = 0;
 * for await (const rows of lung.X!.rows({ batch: 5 })) cells += rows.nRows;
 * assert.equal(cells, lung.nObs);
 * ```
 */
export async function openCensus(options: OpenCensusOptions = {}): Promise<Census> {
  checkOptions("open the Census", options, [
    "version",
    "uri",
    "h5ads",
    "cache",
    "fetch",
    "maxMemory",
    "signal",
  ]);
  const { uri, version, signal } = options;
  if (uri !== undefined && version !== undefined) {
    throw new TypeError("Cannot open the Census as either version or uri must be given: got both");
  }
  const release = uri === undefined
    ? await getCensusVersionDescription(version ?? "stable", {
      ...options.fetch && { fetch: options.fetch },
      ...signal && { signal },
    })
    : undefined;
  if (release?.retraction !== undefined) {
    throw new RangeError(
      `Cannot open Census ${release.name} as it was withdrawn: ${release.retraction}; give its address as uri to read it none the less`,
    );
  }
  const open = { ...options.maxMemory !== undefined && { maxMemory: options.maxMemory } };
  const store = storeOf(uri ?? release!.soma.uri, options, release?.soma.region);
  const root = await openSoma(store, { type: "SOMACollection", ...open, ...signal && { signal } });
  const openEmbedding = async (name: string, organism: string, signal?: AbortSignal) => {
    const address = await embeddingUri(name, organism, { release, fetch: options.fetch, signal });
    const store = storeOf(address, options);
    return await openSoma(store, { type: "SOMASparseNDArray", ...open, ...signal && { signal } });
  };
  return new Census({ root, release, h5ads: sourceFiles(release, options), openEmbedding });
}

/** Where source files lie: as told, or as the release says. */
function sourceFiles(
  release: CensusRelease | undefined,
  options: OpenCensusOptions,
): CensusParts["h5ads"] {
  const given = options.h5ads ?? release?.h5ads.uri;
  if (given === undefined) return undefined;
  const store = storeOf(given, fetching(options), release?.h5ads.region);
  return { uri: typeof given === "object" && "read" in given ? given.name : String(given), store };
}

/** What source files are read with: they are too large to keep. */
function fetching({ fetch }: OpenCensusOptions): OpenCensusOptions {
  return fetch === undefined ? {} : { fetch };
}

/** The store of an address, with the cache in front. */
function storeOf(
  uri: string | URL | Store,
  { cache, fetch }: OpenCensusOptions,
  region = "us-west-2",
): Store {
  const store = typeof uri === "object" && "read" in uri
    ? uri
    : /^(https?|s3):/i.test(String(uri))
    ? httpStore(uri, { region, ...fetch && { fetch } })
    : directoryStore(uri);
  return cache === undefined ? store : cachedStore(store, { cache });
}

/** Address of an embedding that was contributed to a release; a path or address is taken as it is. */
async function embeddingUri(
  name: string,
  organism: string,
  options: {
    readonly release: CensusRelease | undefined;
    readonly fetch: Fetch | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<string> {
  if (name.includes("/")) return name;
  const { release } = options;
  if (release === undefined) {
    throw new RangeError(
      `Cannot find the embedding ${name} as the Census was not opened by its version: give its address`,
    );
  }
  const manifest = Object.values(await fetchJson(CONTRIBUTED, options)) as Record<
    string,
    unknown
  >[];
  const found = manifest.filter((entry) =>
    entry["embedding_name"] === name && entry["experiment_name"] === organism &&
    entry["data_type"] === "obs_embedding" && entry["census_version"] === release.releaseBuild
  ).sort((a, b) => String(a["submission_date"]) < String(b["submission_date"]) ? 1 : -1);
  if (found.length === 0) {
    const there = manifest.filter((entry) => entry["census_version"] === release.releaseBuild)
      .map((entry) => `${entry["embedding_name"]} (${entry["experiment_name"]})`);
    throw new RangeError(
      `Cannot find the embedding ${name} of ${organism} as Census ${release.releaseBuild} has none: there are ${
        there.join(", ") || "none"
      }`,
    );
  }
  const id = found[0]!["id"];
  if (typeof id !== "string" || id.includes("/")) {
    throw new FormatError("encoding", "Cannot find an embedding as its id must be a name", {
      file: CONTRIBUTED,
      key: name,
    });
  }
  return `${EMBEDDINGS}/${release.releaseBuild}/${id}`;
}
