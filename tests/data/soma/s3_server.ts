/** A server that answers as S3 does, and fails when it is told to. */
import type { Store, StoreEntry } from "../../../data/soma/mod.ts";

/** What a request may meet. */
export type Fault =
  | "429"
  | "503"
  | "403"
  | "cut"
  | "long"
  | "wrong range"
  | "whole"
  | "hang"
  | "html"
  | "not xml"
  | "endless";

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Lets pages of other origins read an answer, as buckets that are read by pages do. */
async function withCors(request: Request, answer: () => Promise<Response>): Promise<Response> {
  const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "range" };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const response = await answer();
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

export class S3Server implements AsyncDisposable {
  /** Decides what a request meets. */
  fault: (path: string) => Fault | undefined = () => undefined;
  /** Entries of a page of a listing. */
  pageSize = 1000;
  /** Requests so far. */
  requests = 0;
  /** First pages of listings so far. */
  listings = 0;
  /** Pages of listings so far. */
  pages = 0;
  /** Bytes that were sent of files. */
  bytes = 0;
  /** Settles at the first request. */
  readonly asked: Promise<void>;
  readonly #store: Store;
  readonly #bucket: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #ended = Promise.withResolvers<void>();

  constructor(store: Store, options: { readonly bucket?: string } = {}) {
    this.#store = store;
    this.#bucket = options.bucket ?? "";
    const asked = Promise.withResolvers<void>();
    this.asked = asked.promise;
    this.#server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, (request) => {
      asked.resolve();
      this.requests++;
      return withCors(request, () => this.#answer(request));
    });
  }

  get url(): string {
    return `http://localhost:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.resolve();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const fault = this.fault(url.pathname + url.search);
    if (fault === "hang") await this.#ended.promise;
    if (fault === "429") {
      return new Response("slow down", { status: 429, headers: { "retry-after": "0" } });
    }
    if (fault === "503" || fault === "403") return new Response("no", { status: Number(fault) });
    const path = decodeURIComponent(url.pathname).slice(this.#bucket.length + 1);
    if (url.searchParams.has("list-type")) return await this.#list(url.searchParams, fault);
    return await this.#file(path, request.headers.get("range") ?? "", fault);
  }

  async #list(query: URLSearchParams, fault: Fault | undefined): Promise<Response> {
    if (fault === "html") {
      return new Response("<!doctype html><title>Index</title><p>of <b>/</b></p>");
    }
    if (fault === "not xml") return new Response("<<<");
    const prefix = query.get("prefix") ?? "";
    const from = Number(query.get("continuation-token") ?? 0);
    if (from === 0) this.listings++;
    this.pages++;
    const entries = (await this.#store.list(prefix.replace(/\/$/, ""))).sort((a, b) =>
      a.name < b.name ? -1 : 1
    );
    const page = entries.slice(from, from + this.pageSize);
    const more = from + this.pageSize < entries.length;
    const key = (name: string) =>
      escape(
        query.get("encoding-type") === "url"
          ? encodeURIComponent(prefix + name).replaceAll("%20", "+")
          : prefix + name,
      );
    const item = ({ name, kind, size }: StoreEntry) =>
      kind === "folder"
        ? `<CommonPrefixes><Prefix>${key(`${name}/`)}</Prefix></CommonPrefixes>`
        : `<Contents><Key>${
          key(name)
        }</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>${size}</Size></Contents>`;
    return new Response(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
        `<Name>b</Name><Prefix>${key("")}</Prefix><EncodingType>url</EncodingType>` +
        `<IsTruncated>${more || fault === "endless"}</IsTruncated>` +
        (more ? `<NextContinuationToken>${from + this.pageSize}</NextContinuationToken>` : "") +
        `${page.map(item).join("")}</ListBucketResult>`,
    );
  }

  async #file(path: string, range: string, fault: Fault | undefined): Promise<Response> {
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(range)!;
    const [offset, end] = [Number(first), Number(last) + 1];
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.#store.read(path, { offset, length: end - offset });
    } catch {
      return new Response("none", { status: 404 });
    }
    this.bytes += bytes.length;
    if (fault === "whole") return new Response(bytes);
    if (fault === "long") bytes = new Uint8Array([...bytes, 1]);
    const at = fault === "wrong range" ? offset + 1 : offset;
    const headers = { "content-range": `bytes ${at}-${at + end - offset - 1}/*` };
    if (fault !== "cut") return new Response(bytes, { status: 206, headers });
    return new Response(bytes.subarray(0, bytes.length >> 1), { status: 206, headers });
  }
}
