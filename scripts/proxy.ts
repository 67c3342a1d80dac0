/**
 * A proxy for pages: `http://localhost:8787/https://HOST/PATH` answers as the address behind it, with CORS headers. It reads
 * the hosts that it is told and nothing else: GET and HEAD, whole files or one range, S3's listings.
 */
import { type KeptAnswer, ProxyCache } from "./proxy_cache.ts";

/** Hosts that the Census's releases, buckets and embeddings lie on. */
export const CENSUS_HOSTS: readonly string[] = [
  "cellxgene-census-public-us-west-2.s3.us-west-2.amazonaws.com",
  "cellxgene-contrib-public.s3.us-west-2.amazonaws.com",
  "census.cellxgene.cziscience.com",
  "contrib.cellxgene.cziscience.com",
];

/** How a proxy is served. */
export interface ProxyOptions {
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** Address to listen at. */
  readonly hostname: string;
  /** Hosts that are read by https, or origins such as `http://localhost:9000`. */
  readonly hosts: readonly string[];
  /** Where answers are kept, and how much of them; nothing is unless told. */
  readonly cache?: { readonly folder: string; readonly maxBytes: number };
  /** Is told a line a request. */
  readonly log: (line: string) => void;
}

/** A proxy that is served until it is disposed of. */
export interface ProxyServer extends AsyncDisposable {
  /** Its address; what is asked for stands behind the last slash. */
  readonly url: string;
}

/** Serves a proxy. */
export async function serveProxy(options: ProxyOptions): Promise<ProxyServer> {
  const { port, hostname, hosts, cache, log } = options;
  const origins = new Set(hosts.map(originOf));
  const kept = cache && await ProxyCache.open(cache.folder, cache.maxBytes);
  const stop = new AbortController();
  const server = Deno.serve({ port, hostname, signal: stop.signal, onListen() {} }, (request) => {
    return answer(request, { origins, kept, log, signal: stop.signal });
  });
  return {
    url: `http://${hostname}:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

/** The origin of a host; throws `TypeError` where it is none. */
function originOf(host: string): string {
  const url = URL.parse(/^https?:\/\//.test(host) ? host : `https://${host}`);
  if (url !== null && url.href === `${url.origin}/` && !host.includes("*")) return url.origin;
  throw new TypeError(`Cannot serve ${JSON.stringify(host)} as it must be a host or an origin`);
}

/** What a request is answered with. */
interface Setting {
  readonly origins: ReadonlySet<string>;
  readonly kept: ProxyCache | undefined;
  readonly log: (line: string) => void;
  /** Stops what is being read. */
  readonly signal: AbortSignal;
}

/** A request that is not passed on, or that failed. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD",
  "access-control-allow-headers": "range",
  "access-control-allow-private-network": "true",
  "access-control-expose-headers":
    "accept-ranges, content-length, content-range, etag, last-modified",
  "access-control-max-age": "86400",
};

async function answer(request: Request, setting: Setting): Promise<Response> {
  const { method } = request;
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  const { pathname, search } = new URL(request.url);
  const range = request.headers.get("range");
  const tell = (status: number, note: string) =>
    setting.log(`${method} ${status} ${note} ${pathname.slice(1)}${search} ${range ?? "whole"}`);
  try {
    const asked = askedFor(request, setting.origins);
    const { response, note } = await passOn(asked, setting);
    tell(response.status, note);
    return response;
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 500;
    tell(status, (error as Error).message);
    const headers = { ...CORS, "content-type": "text/plain; charset=utf-8" };
    return new Response(`${(error as Error).message}\n`, { status, headers });
  }
}

/** What is asked of another host. */
interface Asked {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly range: string | undefined;
  /** Whether a folder is listed. */
  readonly isListing: boolean;
  /** Whether the answer may be kept: a range or a listing. */
  readonly keep: boolean;
}

/** What S3 is asked with for a listing. */
const LISTING = new Set([
  "list-type",
  "delimiter",
  "prefix",
  "encoding-type",
  "continuation-token",
  "max-keys",
  "start-after",
]);

/** The request as it is passed on; throws where it may not be. */
function askedFor(request: Request, origins: ReadonlySet<string>): Asked {
  const { method, headers } = request;
  if (method !== "GET" && method !== "HEAD") {
    throw new Refusal(405, `Cannot pass on ${method} as GET and HEAD alone are`);
  }
  const { pathname, search } = new URL(request.url);
  // URLs are compared and fetched in their parsed form, so that no spelling means two things.
  const url = /^\/https?:\/\/[^/]/.test(pathname) ? URL.parse(pathname.slice(1) + search) : null;
  if (url === null || url.username !== "" || url.password !== "") {
    throw new Refusal(400, "Cannot read this as the path must be an address: /https://HOST/PATH");
  }
  if (!origins.has(url.origin)) {
    throw new Refusal(403, `Cannot read ${url.origin} as it is none of the hosts that may be read`);
  }
  const isListing = url.searchParams.get("list-type") === "2";
  if (url.search !== "" && !(isListing && url.searchParams.keys().every((n) => LISTING.has(n)))) {
    throw new Refusal(403, "Cannot pass on this query as only S3's listings (list-type=2) are");
  }
  const range = headers.get("range") ?? undefined;
  if (range !== undefined && !/^bytes=(\d+-\d*|-\d+)$/.test(range)) {
    throw new Refusal(400, "Cannot pass on this range as it must be one range of bytes");
  }
  return {
    method,
    url,
    range,
    isListing,
    keep: method === "GET" && (isListing || range !== undefined),
  };
}

/** Headers of answers that are passed on. */
const PASSED = [
  "accept-ranges",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
];

/** Longest answer that is held in memory, and kept. */
const MOST_HELD = 1 << 26;

async function passOn(
  asked: Asked,
  { kept, log, signal }: Setting,
): Promise<{ readonly response: Response; readonly note: string }> {
  const key = `${asked.url} ${asked.range ?? ""}`;
  const known = asked.keep ? await kept?.get(key) : undefined;
  if (known !== undefined) return { response: responseOf(known), note: "kept" };
  const upstream = await fetchFrom(asked, signal);
  const { status } = upstream;
  const headers = Object.fromEntries(
    PASSED.flatMap((name) => {
      const value = upstream.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const whole = asked.range === undefined ? status === 200 : status === 206;
  // Listings are chunked, and say by their last words that they are whole.
  const length = Number(headers["content-length"] ?? (asked.isListing ? 0 : NaN));
  if (kept === undefined || !asked.keep || !whole || !(length <= MOST_HELD)) {
    const response = new Response(upstream.body, { status, headers: { ...headers, ...CORS } });
    return { response, note: "read" };
  }
  const body = await bodyOf(upstream, asked.url);
  checkWhole(body, asked, headers["content-length"]);
  await kept.put(key, { status, headers, body }).catch((error) =>
    log(`not kept: ${(error as Error).message}`)
  );
  return { response: responseOf({ status, headers, body }), note: "read" };
}

/** Refuses to keep what was cut off. */
function checkWhole(
  body: Uint8Array,
  { url, isListing }: Asked,
  length: string | undefined,
): void {
  if (length !== undefined && body.length !== Number(length)) {
    throw new Refusal(502, `Cannot read ${url} as ${length} bytes must come: got ${body.length}`);
  }
  const end = new TextDecoder().decode(body.subarray(-32)).trimEnd();
  if (isListing && !end.endsWith("</ListBucketResult>")) {
    throw new Refusal(502, `Cannot read ${url} as the host must list its folders as S3 does`);
  }
}

function responseOf({ status, headers, body }: KeptAnswer): Response {
  return new Response(body, { status, headers: { ...headers, ...CORS } });
}

async function fetchFrom({ method, url, range }: Asked, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      redirect: "manual",
      // Bytes as they are stored, whose lengths and ranges are the file's.
      headers: { "accept-encoding": "identity", ...range !== undefined && { range } },
      signal,
    });
  } catch (cause) {
    throw new Refusal(502, `Cannot read ${url}: ${(cause as Error).message}`);
  }
  if (response.status < 300 || response.status >= 400) return response;
  await response.body?.cancel();
  // It may lead anywhere.
  throw new Refusal(502, `Cannot read ${url} as it leads to another address: ${response.status}`);
}

async function bodyOf(response: Response, url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await response.bytes();
  } catch (cause) {
    throw new Refusal(502, `Cannot read ${url}: ${(cause as Error).message}`);
  }
}
