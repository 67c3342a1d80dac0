/** The directory of Census releases: which there are, and where they lie. */
import { checkOptions, describeNames } from "../checks.ts";
import { FormatError } from "../errors.ts";

/** Fetches an address: the platform's fetch, or one through a proxy. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A release of the Census. */
export interface CensusRelease {
  /** Its name: a date, or another name for one such as "stable". */
  readonly name: string;
  /** The date that it is named after. */
  readonly releaseBuild: string;
  /** Address of its SOMA store. */
  readonly soma: CensusLocation;
  /** Address of the folder of its source h5ad files. */
  readonly h5ads: CensusLocation;
  /** Whether it is kept for years. */
  readonly lts: boolean;
  /** Why it was withdrawn; undefined where it was not. */
  readonly retraction: string | undefined;
}

/** Where something lies. */
export interface CensusLocation {
  /** Its address: s3, https or a path. */
  readonly uri: string;
  /** Region of the bucket. */
  readonly region: string;
}

/** Which releases are listed, and how they are asked for. */
export interface DirectoryOptions {
  /** Only those that are kept for years, or only the others; both unless given. */
  readonly lts?: boolean;
  /** Only those that were withdrawn, or "all"; those that were not unless given. */
  readonly retracted?: boolean | "all";
  /** Fetches the directory. */
  readonly fetch?: Fetch;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

const HOST = "https://census.cellxgene.cziscience.com/cellxgene-census/v1";
const RELEASES = `${HOST}/release.json`;
const MIRRORS = `${HOST}/mirrors.json`;

/** A mirror, as its file has it. */
interface Mirror {
  readonly base_uri: string;
  readonly region?: string | null;
}

/** Where a resource lies, as the directory has it. */
interface Locator {
  readonly uri?: string;
  readonly relative_uri?: string;
  readonly s3_region?: string | null;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Fetches a JSON object. */
export async function fetchJson(
  url: string,
  { fetch = globalThis.fetch, signal }: {
    fetch?: Fetch | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<Json> {
  const answer = await fetch(url, signal ? { signal } : {}).catch((cause) => {
    throw new Error(
      `Cannot fetch ${url}: ${
        (cause as Error).message
      }; in a page, the server may not allow other origins: use a proxy`,
      { cause },
    );
  });
  if (!answer.ok) throw new Error(`Cannot fetch ${url} as the server answered ${answer.status}`);
  const json: unknown = await answer.json();
  if (isObject(json)) return json;
  throw new FormatError("encoding", "Cannot read the answer as it must be an object", {
    file: url,
    key: "/",
  });
}

/**
 * The releases of the Census, aliases first, then newest first; an alias such as "stable" is listed beside the date that it stands for.
 *
 * @param options Which ones.
 * @throws {FormatError} Where the directory is not what it should be.
 */
export async function getCensusVersionDirectory(
  options: DirectoryOptions = {},
): Promise<Map<string, CensusRelease>> {
  checkOptions("list Census releases", options, ["lts", "retracted", "fetch", "signal"]);
  const { lts, retracted = false } = options;
  const [entries, mirrors] = await Promise.all([
    fetchJson(RELEASES, options),
    fetchJson(MIRRORS, options),
  ]);
  const mirror = mirrorOf(mirrors);
  const aliases: CensusRelease[] = [];
  const dates: CensusRelease[] = [];
  for (const name of Object.keys(entries)) {
    const entry = followAlias(entries, name);
    if (entry === undefined) continue;
    const release = releaseOf(name, entry, mirror);
    const wanted = (lts === undefined || release.lts === lts) &&
      (retracted === "all" || (release.retraction !== undefined) === retracted);
    if (wanted) (typeof entries[name] === "string" ? aliases : dates).push(release);
  }
  const descending = (a: CensusRelease, b: CensusRelease) => a.name < b.name ? 1 : -1;
  const listed = [...aliases.sort(descending), ...dates.sort(descending)];
  return new Map(listed.map((release) => [release.name, release]));
}

/** The entry that a name stands for; undefined where it leads nowhere. */
function followAlias(entries: Json, name: string): Json | undefined {
  let entry = entries[name];
  for (let step = 0; typeof entry === "string" && step < 10; step++) entry = entries[entry];
  return isObject(entry) ? entry : undefined;
}

function mirrorOf(mirrors: Json): Mirror {
  const mirror = mirrors[String(mirrors["default"])];
  if (isObject(mirror) && typeof mirror["base_uri"] === "string") {
    return mirror as unknown as Mirror;
  }
  throw new FormatError("missing-key", "Cannot read the mirrors as they must name a default", {
    file: MIRRORS,
    key: "default",
  });
}

function releaseOf(name: string, entry: Json, mirror: Mirror): CensusRelease {
  const { flags, retraction } = entry as { flags?: Json; retraction?: Json };
  const reason = isObject(retraction)
    ? String(retraction["reason"] ?? "no reason given")
    : "no reason given";
  return {
    name,
    releaseBuild: String(entry["release_build"]),
    soma: locate(entry["soma"], mirror, `${name}/soma`),
    h5ads: locate(entry["h5ads"], mirror, `${name}/h5ads`),
    lts: flags?.["lts"] === true,
    retraction: flags?.["retracted"] === true ? reason : undefined,
  };
}

/** An absolute location: relative ones lie on the mirror. */
function locate(locator: unknown, mirror: Mirror, key: string): CensusLocation {
  const { uri, relative_uri, s3_region } = (isObject(locator) ? locator : {}) as Locator;
  if (relative_uri) {
    const base = mirror.base_uri.replace(/\/+$/, "");
    return {
      uri: `${base}/${relative_uri.replace(/^\/+/, "")}`,
      region: mirror.region ?? "us-west-2",
    };
  }
  if (uri) return { uri, region: s3_region ?? "us-west-2" };
  throw new FormatError("missing-key", "Cannot read a release as it must say where it lies", {
    file: RELEASES,
    key,
  });
}

/**
 * The release of a name.
 *
 * @param version "stable", "latest", "V3" or a date.
 * @param options `fetch`, `signal`.
 * @throws {RangeError} Where there is none; the message lists those there are.
 */
export async function getCensusVersionDescription(
  version: string,
  options: Pick<DirectoryOptions, "fetch" | "signal"> = {},
): Promise<CensusRelease> {
  const releases = await getCensusVersionDirectory({ ...options, retracted: "all" });
  const release = releases.get(version);
  if (release !== undefined) return release;
  throw new RangeError(
    `Cannot open Census ${JSON.stringify(version)} as there is no such release: ${
      describeNames(version, [...releases.keys()])
    }`,
  );
}
