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
  // One file position is shared, so reads wait for each other.
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const turn = last.then(act);
    last = turn.catch(() => {});
    return turn;
  };
  const source: ByteSource = {
    size,
    name: String(path),
    async read(offset, length) {
      checkRange(source, offset, length); // before memory is taken
      const bytes = new Uint8Array(length);
      await inTurn(() => readAt(file, source, offset, bytes));
      return bytes;
    },
    async readInto(offset, target) {
      checkRange(source, offset, target.length);
      await inTurn(() => readAt(file, source, offset, target));
    },
    [Symbol.dispose]: () => file.close(),
  };
  return source;
}

/** Fills `target` from a range that was checked against the size when the file was opened. */
async function readAt(
  file: Deno.FsFile,
  source: ByteSource,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { length } = target;
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const rest = target.subarray(filled);
    const count = length <= SHORT ? file.readSync(rest) : await file.read(rest);
    if (count === null) {
      throw new RangeError(
        `Cannot read ${length} bytes at ${offset} as ${source.name} was cut after it was opened`,
      );
    }
    filled += count;
  }
}
