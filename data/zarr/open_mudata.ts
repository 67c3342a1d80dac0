/** MuData in zarr stores. */
import { checkOptions } from "../checks.ts";
import type { AnnData } from "../anndata.ts";
import type { MuData } from "../mudata.ts";
import { readCells, readMuData } from "../read_mudata.ts";
import { openRoot, type OpenZarrOptions, type ZarrSource } from "./open_zarr.ts";

/**
 * Opens multimodal data in a zarr store; reads the structure of all modalities and the names of cells and features, and the rest when it
 * is asked for. They are written by `writeZarr`.
 *
 * @param source Whatever `openZarr` takes: a folder or `.zip` file by path or address, bytes, a folder handle, a Map, a store.
 * @param options The group inside the store, another `fetch`, an abort signal.
 * @returns The multimodal data; close them when done.
 * @throws {FormatError} Where it is no zarr store, cannot be listed, or holds no MuData; `kind`, `file` and `key` tell.
 *
 * @example Through memory
 * ```ts
 * import assert from "node:assert/strict";
 * import { AnnData, DataFrame, MuData } from "@scgpt/sdk/data";
 * import { openMuZarr, writeZarr } from "@scgpt/sdk/data/zarr";
 *
 * const rna = AnnData.fromParts({
 *   obs: new DataFrame({ index: ["cell1"] }),
 *   var: new DataFrame({ index: ["TP53"] }),
 * });
 * const store = new Map<string, Uint8Array>();
 * await writeZarr(MuData.fromParts({ mod: { rna } }), store);
 * using mdata = await openMuZarr(store);
 * assert.deepEqual(mdata.mod.rna!.varNames, ["TP53"]);
 * ```
 */
export async function openMuZarr(
  source: ZarrSource,
  options: OpenZarrOptions = {},
): Promise<MuData> {
  checkOptions("open a zarr store", options, ["path", "fetch", "signal"]);
  const { root, close } = await openRoot(source, options);
  try {
    return await readMuData(root, close);
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Opens a zarr store as annotated data by what it holds: an AnnData, or a modality of a MuData.
 *
 * @param source Whatever `openZarr` takes.
 * @param options The options of `openZarr`, and the modality to read where there are several.
 * @returns The annotated data; close them when done.
 * @throws {FormatError} Where it is no zarr store, cannot be listed, or holds neither; `kind`, `file` and `key` tell.
 * @throws {RangeError} Where a modality has to be chosen or is not there; the message lists them.
 */
export async function openZarrCells(
  source: ZarrSource,
  options: OpenZarrOptions & { readonly modality?: string } = {},
): Promise<AnnData> {
  checkOptions("open a zarr store", options, ["path", "fetch", "signal", "modality"]);
  const { root, close } = await openRoot(source, options);
  try {
    return await readCells(root, options.modality, close);
  } catch (error) {
    close();
    throw error;
  }
}
