/** Writes checkpoint files on a server: whole or not at all. */
import { writeWhole } from "../../data/mod.ts";
import { refuseUnknownKeys } from "../options.ts";
import { writeSafetensors, type WriteSafetensorsOptions } from "./safetensors.ts";
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
  const write = async (temporary: string) => {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    await writeSafetensors({ write: (bytes) => writeAll(file, bytes) }, tensors, rest);
  };
  await writeWhole(path, write, { force });
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
