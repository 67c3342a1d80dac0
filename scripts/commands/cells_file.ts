/** Annotated data in files of every kind that can be read, and of those that can be written. */
import {
  type AnnData,
  FormatError,
  MuData,
  openCells as openAnyCells,
  type OpenCellsOptions,
  openMuData,
  writeH5ad,
  writeH5mu,
  type WriteReport,
  writeZarr,
} from "../../mod.ts";
import { UsageError } from "./command.ts";
import { statInput } from "./inputs.ts";

/** What a path of cells may be, for help texts. */
export const CELLS_HELP =
  "h5ad, h5mu (FILE.h5mu/rna names a modality), zarr, Cell Ranger's h5, a folder with matrix.mtx, CSV or TSV; a path or an http address";

/** Whether a name is one of a zarr store. */
export function isZarrName(path: string): boolean {
  return /\.zarr(\.zip)?\/?$/i.test(path.replace(/[?#].*$/, ""));
}

/** Whether a path is a folder that holds a model and no cells. */
export async function isModelFolder(path: string): Promise<boolean> {
  if (/^https?:/i.test(path)) return false;
  const has = (name: string) => Deno.stat(`${path}/${name}`).then(() => true, () => false);
  return await has("args.json") || await has("vocab.json");
}

/** Refuses a path where nothing is; an http(s) address is left to the one who opens it. */
export async function checkInputCells(path: string): Promise<void> {
  if (/^https?:/i.test(path)) return;
  const [, file] = /^(.+\.h5mu)\/./i.exec(path) ?? [];
  await statInput(file ?? path);
}

/** Opens annotated data: a path or an http(s) address, of any kind. */
export async function openCells(
  path: string,
  options: OpenCellsOptions = {},
): Promise<AnnData> {
  await checkInputCells(path);
  return await openAnyCells(path, options);
}

/** Opens all modalities of a file, or undefined where it is no MuData. */
export async function openModalities(
  path: string,
  signal: AbortSignal,
): Promise<MuData | undefined> {
  try {
    return await openMuData(path, { signal });
  } catch (error) {
    const none = error instanceof FormatError && error.kind === "missing-key" &&
      error.key === "mod";
    // A file of no known kind is for openCells to complain of.
    if (none || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** How cells are written. */
export interface CellsLayout {
  /** Version of zarr; 2 unless told. */
  readonly format?: number;
  /** Compression, by the name that the format has for it; its own default where there is none. */
  readonly compression?: string | undefined;
  /** Whether chunks of zarr share files. */
  readonly shards?: boolean;
  /** Replaces what exists. */
  readonly force: boolean;
  /** Stops the writing. */
  readonly signal: AbortSignal;
}

/** Refuses a name that says no format that the cells can be written in. */
export function checkFormatName(path: string, ending: ".h5ad" | ".h5mu" = ".h5ad"): void {
  if (/\.zarr\/?$/i.test(path) || path.toLowerCase().endsWith(ending)) return;
  throw new UsageError(`Cannot write ${path} as its name must end with ${ending} or .zarr`);
}

/** Writes annotated or multimodal data: a zarr store where the name ends so, else an h5ad or h5mu file. */
export async function writeFormat(
  data: AnnData | MuData,
  path: string,
  options: CellsLayout,
): Promise<WriteReport> {
  const { compression, format = 2, shards = false, force, signal } = options;
  if (isZarrName(path) && !/\.zip$/i.test(path)) {
    const layout = { format, shards, force, signal, ...compression && { compression } };
    return await writeZarr(data, path, layout as Parameters<typeof writeZarr>[2]);
  }
  const layout = { force, signal, ...compression && compression !== "none" && { compression } };
  return data instanceof MuData
    ? await writeH5mu(data, path, layout as Parameters<typeof writeH5mu>[2])
    : await writeH5ad(data, path, layout as Parameters<typeof writeH5ad>[2]);
}
