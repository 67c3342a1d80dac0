import { checkRange } from "./checks.ts";
import { retry, RetryableError } from "./retry.ts";

/** Bytes that can be read by range: a file, a Blob, an array or a URL. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Path, URL or file name, for messages. */
  readonly name: string;
  /** Reads exactly `length` bytes from `offset`; throws `RangeError` where they do not all exist. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads as many bytes as `target` has into it, where that saves a copy; the same rules. */
  readInto?(offset: number, target: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Closes what was opened. */
  [Symbol.dispose](): void;
}

/** Whether `from` is an address that is fetched. */
export function isHttp(from: unknown): boolean {
  return from instanceof URL
    ? from.protocol.startsWith("http")
    : typeof from === "string" && /^https?:\/\//i.test(from);
}

/** A source of bytes in memory. */
function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    name: "bytes in memory",
    // deno-lint-ignore require-await -- so that a bad range rejects instead of throwing
    async read(this: ByteSource, offset: number, length: number) {
      checkRange(this, offset, length);
      return bytes.slice(offset, offset + length) as Uint8Array<ArrayBuffer>;
    },
    [Symbol.dispose]() {},
  };
}

/** A source over a Blob or a File that a page was given. */
function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    name: blob instanceof File ? blob.name : "blob",
    async read(this: ByteSource, offset: number, length: number) {
      checkRange(this, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    [Symbol.dispose]() {},
  };
}

/** Tries of a request after the first, and milliseconds before the first of them. */
const RETRIES = 4, DELAY = 100;

/** Whether an answer may be another one soon. */
function passes(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Fetches a range of an address; the answer's body is read or cancelled by the caller. */
async function fetchRange(url: string, range: string): Promise<Response> {
  const act = async () => {
    const answer = await fetch(url, { headers: { range } }).catch((cause) => {
      throw new RetryableError(`Cannot read ${range} of ${url}: ${cause.message}`, { cause });
    });
    if (!passes(answer.status)) return answer;
    await answer.body?.cancel();
    throw new RetryableError(
      `Cannot read ${range} of ${url}: the server answered ${answer.status}`,
    );
  };
  return await retry(act, { retries: RETRIES, delay: DELAY, signal: undefined });
}

/** A source over http(s) by range requests. */
async function httpSource(url: string): Promise<ByteSource> {
  const head = await fetchRange(url, "bytes=0-0");
  await head.body?.cancel();
  if (!head.ok) {
    throw new Error(`Cannot open ${url} as the server answered ${head.status} ${head.statusText}`);
  }
  const total = /\/(\d+)$/.exec(head.headers.get("content-range") ?? "")?.[1];
  if (head.status !== 206 || total === undefined) {
    throw new Error(
      `Cannot read ${url} by range as the server does not honour range requests: it answered ${head.status}; ` +
        "download the file first",
    );
  }
  return {
    size: Number(total),
    name: url,
    async read(this: ByteSource, offset: number, length: number) {
      checkRange(this, offset, length);
      if (length === 0) return new Uint8Array(0);
      const range = `bytes=${offset}-${offset + length - 1}`;
      const answer = await fetchRange(url, range);
      if (answer.status !== 206) {
        await answer.body?.cancel();
        throw new Error(`Cannot read ${range} of ${url}: the server answered ${answer.status}`);
      }
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (bytes.length !== length) {
        throw new Error(`Cannot read ${range} of ${url}: the server sent ${bytes.length} bytes`);
      }
      return bytes;
    },
    [Symbol.dispose]() {},
  };
}

/**
 * Opens bytes for reading by range.
 *
 * @param from A path (on a server), an http(s) address whose server honours range requests, a Blob or bytes.
 * @returns The open source; dispose it when done.
 * @throws {TypeError} Where a path is given and there is no file system.
 *
 * @example Read four bytes
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSource } from "@scgpt/sdk/data";
 *
 * using source = await openSource(new Uint8Array([1, 2, 3, 4, 5, 6]));
 * assert.deepEqual([...await source.read(2, 4)], [3, 4, 5, 6]);
 * ```
 */
export async function openSource(from: string | URL | Blob | Uint8Array): Promise<ByteSource> {
  if (from instanceof Uint8Array) return bytesSource(from);
  if (from instanceof Blob) return blobSource(from);
  if (isHttp(from)) return await httpSource(String(from));
  if (!("Deno" in globalThis)) {
    throw new TypeError(
      `Cannot open ${from} as a page has no file system: give a File, bytes or an http address`,
    );
  }
  const { openFile } = await import("./source_deno.ts");
  return await openFile(from);
}
