/** A zarr store over http(s). */
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

/** A store over an address that holds a zarr hierarchy; what fails for a moment is tried again. */
export function httpStore(base: URL, options: HttpOptions = {}): ZarrStore {
  const { fetch: ask = fetch, signal } = options;

  async function request(key: string, range: ByteRange | undefined): Promise<Response> {
    const init = { headers: headersOf(range), ...signal && { signal } };
    for (const pause of PAUSES) {
      const answer = await ask(addressOf(base, key), init).catch((error: unknown) => {
        if (signal?.aborted) throw error;
        return undefined;
      });
      if (answer !== undefined && !isPassing(answer.status)) return answer;
      await answer?.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
    return await ask(addressOf(base, key), init);
  }

  return {
    name: base.href,
    async get(key, range) {
      if (range !== undefined && "length" in range && range.length === 0) return new Uint8Array(0);
      const answer = await request(key, range);
      if (answer.status === 404) {
        await answer.body?.cancel();
        return undefined;
      }
      if (!answer.ok) {
        await answer.body?.cancel();
        throw new Error(`Cannot read ${key} of ${base.href}: the server answered ${answer.status}`);
      }
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (range === undefined) return bytes;
      const wanted = "length" in range ? range.length : range.suffixLength;
      if (answer.status === 206) {
        if (bytes.length === wanted) return bytes;
        throw new RangeError(
          `Cannot read ${wanted} bytes of ${key} of ${base.href}: the server sent ${bytes.length}`,
        );
      }
      // A server that knows no ranges sends all of it.
      const { offset, length } = resolveRange(range, bytes.length, key);
      return bytes.subarray(offset, offset + length);
    },
  };
}
