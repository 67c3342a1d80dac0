import { checkRange } from "./checks.ts";
import type { ByteSource } from "./source.ts";

/**
 * Bytes up to which a read is waited for: a file system answers sooner than another thread could hand the answer over, which takes
 * twice to three times as long.
 */
const SHORT = 1 << 23;

/** Opens a file of the server for reading by range; throws `Deno.errors.NotFound` where there is none. */
export async function openFile(path: string | URL): Promise<ByteSource> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  let last: Promise<unknown> = Promise.resolve();
  const source: ByteSource = {
    size,
    name: String(path),
    read(offset, length) {
      // One file position is shared, so reads wait for each other.
      const bytes = last.then(() => readAt(file, source, { offset, length }));
      last = bytes.catch(() => {});
      return bytes;
    },
    [Symbol.dispose]: () => file.close(),
  };
  return source;
}

/** Reads a range that was checked against the size when the file was opened. */
async function readAt(
  file: Deno.FsFile,
  source: ByteSource,
  range: { offset: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { offset, length } = range;
  checkRange(source, offset, length);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const rest = bytes.subarray(filled);
    const count = length <= SHORT ? file.readSync(rest) : await file.read(rest);
    if (count === null) {
      throw new RangeError(
        `Cannot read ${length} bytes at ${offset} as ${source.name} was cut after it was opened`,
      );
    }
    filled += count;
  }
  return bytes;
}
