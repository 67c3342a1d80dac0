/** A store behind http(s): ranges of files, and folders that are listed as S3 does. */
import { checkOptions } from "../checks.ts";
import { Gate, retry, RetryableError } from "../retry.ts";
import { parseListing } from "./s3_listing.ts";
import type { FileRange, Store, StoreEntry } from "./store.ts";

/** Settings of {@linkcode httpStore}. */
export interface HttpStoreOptions {
  /** Fetches instead of the platform's own: through a proxy, with credentials, from a test. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Address at which the bucket is listed; the address's origin unless given. For buckets in the path: origin and bucket. */
  readonly bucket?: string | URL;
  /** Region of an `s3:` address; "us-west-2" unless given. */
  readonly region?: string;
  /** Lists a folder instead of asking the server: of a server that is not S3. */
  readonly list?: (path: string, signal: AbortSignal | undefined) => Promise<StoreEntry[]>;
  /** Requests at a time; 8 unless given. */
  readonly concurrency?: number;
  /** Times that a failed request is sent again; 5 unless given. */
  readonly retries?: number;
  /** Milliseconds before it is sent again, doubled each time; 200 unless given. */
  readonly retryDelay?: number;
  /** Milliseconds that a request may take; 60,000 unless given. */
  readonly timeout?: number;
}

const OPTIONS = [
  "fetch",
  "bucket",
  "region",
  "list",
  "concurrency",
  "retries",
  "retryDelay",
  "timeout",
];

/** Pages of a listing that are asked for at most: a million entries. */
const MOST_PAGES = 1000;

/** The https address of an `s3://bucket/key`. */
function httpsOf(from: string | URL, region: string): URL {
  const url = new URL(String(from));
  if (url.protocol !== "s3:") return url;
  return new URL(`https://${url.hostname}.s3.${region}.amazonaws.com${url.pathname}`);
}

/**
 * A store behind http(s). Requests are sent again after 429, 5xx, broken connections and wrong ranges.
 *
 * @param from Address of the root of the store: http, https, or `s3://bucket/key` (read without credentials).
 * @param options How it is read.
 * @returns The store.
 *
 * @example A server of one's own
 * ```ts
 * import assert from "node:assert/strict";
 * import { httpStore } from "@scgpt/sdk/data/soma";
 *
 * const store = httpStore("https://example.org/census/", {
 *   fetch: () => Promise.resolve(new Response(Uint8Array.of(7, 8), { status: 206 })),
 * });
 * assert.deepEqual([...await store.read("file", { offset: 4, length: 2 })], [7, 8]);
 * ```
 */
export function httpStore(from: string | URL, options: HttpStoreOptions = {}): Store {
  checkOptions("open an http store", options, OPTIONS);
  return new HttpStore(httpsOf(from, options.region ?? "us-west-2"), options);
}

class HttpStore implements Store {
  readonly name: string;
  readonly #root: URL;
  readonly #folder: string;
  readonly #bucket: URL;
  readonly #options: HttpStoreOptions;
  readonly #gate: Gate;

  constructor(root: URL, options: HttpStoreOptions) {
    this.#root = root;
    this.#folder = root.pathname.replace(/\/+$/, "");
    this.name = `${root.origin}${this.#folder}`;
    this.#bucket = new URL(options.bucket ?? root.origin);
    this.#bucket.pathname = `${this.#bucket.pathname.replace(/\/+$/, "")}/`;
    this.#options = options;
    this.#gate = new Gate(options.concurrency ?? 8);
  }

  async list(
    path: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<StoreEntry[]> {
    const { list } = this.#options;
    if (list !== undefined) return await list(path, signal);
    const folder = decodeURIComponent(this.#folder).slice(
      decodeURIComponent(this.#bucket.pathname).length,
    );
    const key = [folder, path].filter((part) => part !== "").join("/");
    const prefix = key === "" ? "" : `${key}/`;
    const entries: StoreEntry[] = [];
    let next: string | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { entries: more, next: following } = await this.#listPage(prefix, next, signal);
      entries.push(...more);
      if (following === undefined) return entries;
      next = following;
    }
    throw new Error(
      `Cannot list ${prefix} of ${this.name} as it has more than ${MOST_PAGES} pages`,
    );
  }

  async #listPage(prefix: string, token: string | undefined, signal: AbortSignal | undefined) {
    const url = new URL(this.#bucket);
    url.search = String(
      new URLSearchParams({
        "list-type": "2",
        delimiter: "/",
        prefix,
        "encoding-type": "url",
        ...token !== undefined && { "continuation-token": token },
      }),
    );
    return await this.#send(url, { signal }, async (answer) => {
      const text = await readText(answer, url);
      try {
        return parseListing(text, prefix);
      } catch (cause) {
        if (!(cause instanceof SyntaxError || cause instanceof URIError)) throw cause;
        throw new Error(
          `Cannot list ${
            prefix || "the root"
          } of ${this.name} as the server must answer as S3 does: ${cause.message}`,
          { cause },
        );
      }
    });
  }

  async read(path: string, range: FileRange): Promise<Uint8Array<ArrayBuffer>> {
    const { offset, length, signal } = range;
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    const url = new URL(this.#root);
    url.pathname = `${this.#folder}/${path.split("/").map(encodeURIComponent).join("/")}`;
    const asked = `bytes=${offset}-${offset + length - 1}`;
    return await this.#send(
      url,
      { signal, headers: { range: asked } },
      (answer) => readBody(answer, { url, offset, length }),
    );
  }

  /** Sends a request until its answer can be used. */
  async #send<T>(
    url: URL,
    init: { readonly signal: AbortSignal | undefined; readonly headers?: Record<string, string> },
    use: (answer: Response) => Promise<T>,
  ): Promise<T> {
    const { retries = 5, retryDelay = 200, timeout = 60_000, fetch = globalThis.fetch } =
      this.#options;
    const { signal } = init;
    return await this.#gate.run(() =>
      retry(async () => {
        const limit = AbortSignal.timeout(timeout);
        const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
        try {
          const answer = await fetch(String(url), { ...init, signal: both });
          await checkAnswer(answer, url);
          return await use(answer);
        } catch (error) {
          signal?.throwIfAborted();
          if (!isNetworkError(error, limit)) throw error;
          throw new RetryableError(`Cannot fetch ${url}: ${(error as Error).message}`, {
            cause: error,
          });
        }
      }, { retries, delay: retryDelay, signal })
    );
  }
}

/** Most bytes of a page of a listing: S3 sends a thousand entries. */
const MOST_LISTING = 16 * 1024 * 1024;

/** Reads a listing, and no more than one may have. */
async function readText(answer: Response, url: URL): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > MOST_LISTING) {
      throw new Error(`Cannot list ${url} as a page may have ${MOST_LISTING} bytes: it has more`);
    }
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** Whether a failure is one of the connection: fetch and the bodies of its answers fail with TypeError. */
function isNetworkError(error: unknown, limit: AbortSignal): boolean {
  return limit.aborted || error instanceof TypeError;
}

/** Throws where an answer is an error: one that may pass, or one that stays. */
async function checkAnswer(answer: Response, url: URL): Promise<void> {
  if (answer.ok) return;
  await answer.body?.cancel();
  const message =
    `Cannot fetch ${url} as the server answered ${answer.status} ${answer.statusText}`;
  if (answer.status !== 429 && answer.status < 500) throw new Error(message);
  const seconds = Number(answer.headers.get("retry-after") ?? NaN);
  throw new RetryableError(message, {
    after: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

/** Reads the bytes that were asked for, and no more. */
async function readBody(
  answer: Response,
  { url, offset, length }: { readonly url: URL; readonly offset: number; readonly length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const range = answer.headers.get("content-range"); // hidden from pages unless the server exposes it
  const wanted = `bytes ${offset}-${offset + length - 1}/`;
  if (answer.status !== 206) {
    await answer.body?.cancel();
    throw new Error(
      `Cannot read ${url} by range as the server does not honour range requests: it answered ${answer.status}`,
    );
  }
  if (range !== null && !range.startsWith(wanted)) {
    await answer.body?.cancel();
    throw new RetryableError(`Cannot read ${wanted} of ${url}: the server sent ${range}`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const part of answer.body ?? []) {
    if (at + part.length > length) {
      throw new RetryableError(
        `Cannot read ${wanted} of ${url}: the server sent more than ${length} bytes`,
      );
    }
    bytes.set(part, at);
    at += part.length;
  }
  if (at === length) return bytes;
  throw new RetryableError(`Cannot read ${wanted} of ${url}: the server sent ${at} bytes`);
}
