/** Annotated data in an HDF5 file of any known layout. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import { isMuData, readCells } from "../read_mudata.ts";
import type { StorageGroup } from "../storage.ts";
import { openAny } from "./open_h5ad.ts";
import { isTenx, type OpenTenxH5Options, readTenx } from "./open_tenx.ts";

/** How an HDF5 file of any known layout is opened. */
export interface OpenHdf5CellsOptions extends OpenTenxH5Options {
  /** Modality to read, where the file is an h5mu file with several. */
  readonly modality?: string;
}

/** Reads what the root's layout says. */
async function readLayout(
  root: StorageGroup,
  { modality, ...tenx }: OpenHdf5CellsOptions,
  close: () => void,
): Promise<AnnData> {
  if (isMuData(root) || root.keys().includes("obs")) return await readCells(root, modality, close);
  if (await isTenx(root)) return await readTenx(root, tenx, close);
  throw new FormatError(
    "encoding",
    "Cannot open the file as its layout must be that of h5ad, h5mu or Cell Ranger's matrices: the root holds " +
      (root.keys().slice(0, 20).join(", ") || "nothing"),
    root,
  );
}

/**
 * Opens an HDF5 file as annotated data by what it holds: an h5ad file, a modality of an h5mu file, or a matrix of Cell Ranger.
 *
 * @param source A path (on a server), a Blob or File, bytes, or an http(s) address, as for `openH5ad`.
 * @param options Modality, genome, feature types, an abort signal.
 * @returns The annotated data; close them when done.
 * @throws {FormatError} Where it is not HDF5 or of no known layout; `kind`, `file` and `key` tell.
 * @throws {RangeError} Where a modality or genome has to be chosen or is not there; the message lists them.
 */
export async function openHdf5Cells(
  source: string | URL | Blob | Uint8Array,
  options: OpenHdf5CellsOptions = {},
): Promise<AnnData> {
  checkOptions("open an HDF5 file", options, ["modality", "genome", "featureTypes", "signal"]);
  options.signal?.throwIfAborted();
  const file = await openAny(source, options.signal);
  try {
    return await readLayout(file.root, options, () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
}
