/** A zarr store over http(s). */
import type { ByteSource } from "../source.ts";
import { type ByteRange, resolveRange, type ZarrStore } from "./store.ts";

/** Waits before a request is tried again, in ms. */
const PAUSES = [100, 400, 1600];

/** How requests are made. */
export interface HttpOptions {
  /** Used in place of the global `fetch`: to sign, to log, to reach something that is not a server. */
  readonly fetch?: typeof fetch;
  /** Stops all requests. */
  readonly signal?: AbortSignal;
}

/** The address of a key; a query such as a signature stays at the end. */
function addressOf(base: URL, key: string): URL {
  const address = new URL(base);
  const path = key.split("/").map(encodeURIComponent).join("/");
  address.pathname = `${base.pathname.replace(/\/+$/, "")}/${path}`;
  return address;
}

/** Headers of a request for a part. */
function headersOf(range: ByteRange | undefined): Record<string, string> {
  if (range === undefined) return {};
  if ("suffixLength" in range) return { range: `bytes=-${range.suffixLength}` };
  return { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}

/** Whether asking again may help. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Asks for an address or a part of it; what fails for a moment is asked for again. */
async function request(
  address: URL,
  range: ByteRange | undefined,
  { fetch: ask = fetch, signal }: HttpOptions,
): Promise<Response> {
  const init = { headers: headersOf(range), ...signal && { signal } };
  for (const pause of PAUSES) {
    const answer = await ask(address, init).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      return undefined;
    });
    if (answer !== undefined && !isPassing(answer.status)) return answer;
    await answer?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
  return await ask(address, init);
}

/** The bytes of an answer: of the part that was asked for, also where the server sent all of it. */
async function bytesOf(answer: Response, address: URL, range: ByteRange | undefined) {
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Error(`Cannot read ${address}: the server answered ${answer.status}`);
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (range === undefined) return bytes;
  if (answer.status !== 206) {
    const { offset, length } = resolveRange(range, bytes.length, address.href);
    return bytes.slice(offset, offset + length);
  }
  const wanted = "length" in range ? range.length : range.suffixLength;
  if (bytes.length === wanted) return bytes;
  throw new RangeError(
    `Cannot read ${wanted} bytes of ${address}: the server sent ${bytes.length}`,
  );
}

/** A store over an address that holds a zarr hierarchy. */
export function httpStore(base: URL, options: HttpOptions = {}): ZarrStore {
  return {
    name: base.href,
    async get(key, range) {
      if (range !== undefined && "length" in range && range.length === 0) return new Uint8Array(0);
      const address = addressOf(base, key);
      const answer = await request(address, range, options);
      if (answer.status !== 404) return await bytesOf(answer, address, range);
      await answer.body?.cancel();
      return undefined;
    },
  };
}

/** A file at an address, read by ranges. */
export async function httpFile(address: URL, options: HttpOptions = {}): Promise<ByteSource> {
  const first = await request(address, { offset: 0, length: 1 }, options);
  await first.body?.cancel();
  const size = /\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1];
  if (first.status !== 206 || size === undefined) {
    throw new Error(
      `Cannot read ${address} by range: the server answered ${first.status}, and must answer 206`,
    );
  }
  return {
    size: Number(size),
    name: address.href,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0);
      const range = { offset, length };
      return await bytesOf(await request(address, range, options), address, range);
    },
    [Symbol.dispose]() {},
  };
}
