/** Text files as blocks of bytes, unpacked where they are gzip. */
import { FormatError } from "../errors.ts";
import { type ByteSource, openSource } from "../source.ts";

/** Where a text file may be: a path (on a server), an http(s) address, a Blob or bytes; gzip or not. */
export type TextSource = string | URL | Blob | Uint8Array;

/** Bytes that one read takes from a source. */
const READ_BYTES = 1 << 22;

/** The most that gzip can pack into one byte. */
const DENSEST = 1032;

/** A text file that can be read from its start any number of times. */
export interface TextFile {
  /** Path, URL or file name, for messages. */
  readonly name: string;
  /** Most bytes that the text can have. */
  readonly mostBytes: number;
  /** Streams the unpacked bytes from the start; throws `FormatError` "truncated" where gzip data end early or are damaged. */
  blocks(signal?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Closes what was opened. */
  [Symbol.dispose](): void;
}

/** Whether bytes begin as gzip does. */
export function isGzip(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
}

/** The bytes of a source in order. */
async function* bytesOf(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < source.size; at += READ_BYTES) {
    signal?.throwIfAborted();
    yield await source.read(at, Math.min(READ_BYTES, source.size - at));
  }
}

/** Unpacks gzip; on a server files of several parts too, which the platform's own stream refuses. */
async function unpacker(): Promise<TransformStream<Uint8Array, Uint8Array>> {
  if (!("Deno" in globalThis)) return new DecompressionStream("gzip") as never;
  const { gunzip } = await import("./gunzip_deno.ts");
  return await gunzip();
}

/** A stream of the bytes of a source; `ReadableStream.from` is not everywhere. */
function streamOf(
  source: ByteSource,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = bytesOf(source, signal);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await bytes.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await bytes.return(undefined);
    },
  });
}

/** The unpacked bytes of a gzip source. */
async function* unpacked(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = streamOf(source, signal).pipeThrough(await unpacker()).getReader();
  let at = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      at += next.value.length;
      yield next.value as Uint8Array<ArrayBuffer>;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = "Cannot unpack the file as its gzip data end early or are damaged";
    throw new FormatError("truncated", `${reason}: ${(cause as Error).message}`, {
      file: source.name,
      key: `byte ${at} of the text`,
      cause,
    });
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Opens a text file; dispose it when done. */
export async function openText(from: TextSource): Promise<TextFile> {
  const source = await openSource(from);
  try {
    const packed = isGzip(await source.read(0, Math.min(2, source.size)));
    return {
      name: source.name,
      mostBytes: packed ? source.size * DENSEST : source.size,
      blocks: (signal) => packed ? unpacked(source, signal) : bytesOf(source, signal),
      [Symbol.dispose]: () => source[Symbol.dispose](),
    };
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}
