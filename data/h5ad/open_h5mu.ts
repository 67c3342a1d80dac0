/** MuData in HDF5 files. */
import { checkOptions } from "../checks.ts";
import type { MuData } from "../mudata.ts";
import { readMuData } from "../read_mudata.ts";
import { openAny } from "./open_h5ad.ts";

/**
 * Opens an h5mu file; reads the structure of all modalities and the names of cells and features, and the rest when it is asked for.
 *
 * @param source A path (on a server), a Blob or File, bytes, or an http(s) address, as for `openH5ad`.
 * @param options `signal`: stops the opening.
 * @returns The multimodal data; close them when done.
 * @throws {FormatError} Where it is not HDF5, is cut off, or is not a MuData; `kind`, `file` and `key` tell.
 *
 * @example Genes of the cells that have proteins
 * ```ts
 * import assert from "node:assert/strict";
 * import { openH5mu } from "@scgpt/sdk/data/h5ad";
 *
 * using mdata = await openH5mu("tests/fixtures/mudata/cite.h5mu");
 * const both = [...mdata.obsmap.prot!.keys()].filter((row) => mdata.obsmap.prot![row]! > 0);
 * const { rna } = mdata.select({ obs: both }).mod;
 * assert.deepEqual(rna!.obsNames, ["c1", "c3"]);
 * ```
 */
export async function openH5mu(
  source: string | URL | Blob | Uint8Array,
  options: { signal?: AbortSignal } = {},
): Promise<MuData> {
  checkOptions("open an h5mu file", options, ["signal"]);
  options.signal?.throwIfAborted();
  const file = await openAny(source, options.signal);
  try {
    return await readMuData(file.root, () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
}
