/** Writes checkpoint files on a server: whole or not at all. */
import { refuseUnknownKeys } from "../options.ts";
import { type ByteSink, writeSafetensors, type WriteSafetensorsOptions } from "./safetensors.ts";
import type { StoredTensor } from "./stored_tensor.ts";

/** Settings of {@linkcode saveSafetensors}. */
export interface SaveSafetensorsOptions extends WriteSafetensorsOptions {
  /** Whether a file that exists is replaced. */
  readonly force?: boolean;
}

/**
 * Writes a safetensors file under a temporary name in the same folder and renames it when it is whole.
 *
 * @param path Path of the file
 * @param tensors What is written, one in memory at a time
 * @param options Metadata, abort signal, replacement
 * @throws {Deno.errors.AlreadyExists} When the path exists and `force` is not set
 */
export async function saveSafetensors(
  path: string,
  tensors: Iterable<StoredTensor>,
  options: SaveSafetensorsOptions = {},
): Promise<void> {
  refuseUnknownKeys(options, ["metadata", "signal", "force"], "save safetensors");
  const { force = false, ...rest } = options;
  await writeWhole(path, force, (sink) => writeSafetensors(sink, tensors, rest));
}

async function writeWhole(
  path: string,
  force: boolean,
  write: (sink: ByteSink) => Promise<void>,
): Promise<void> {
  if (!force) await refuseExisting(path);
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    await write({ write: (bytes) => writeAll(file, bytes) });
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {}); // the first error is the one to tell
    throw cause;
  }
}

async function refuseExisting(path: string): Promise<void> {
  const there = await Deno.stat(path).then(() => true, () => false);
  if (there) {
    throw new Deno.errors.AlreadyExists(
      `Cannot save ${path} as a file is there already: set force to replace it`,
    );
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
