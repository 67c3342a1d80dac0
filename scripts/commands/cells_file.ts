/** Annotated data of either format, by name or by what a folder holds. */
import {
  type AnnData,
  openH5ad,
  openZarr,
  writeH5ad,
  type WriteReport,
  writeZarr,
} from "../../mod.ts";
import { UsageError } from "./command.ts";
import { checkInputFile, statInput } from "./inputs.ts";

/** Whether a name is one of a zarr store. */
export function isZarrName(path: string): boolean {
  return /\.zarr(\.zip)?\/?$/i.test(path.replace(/[?#].*$/, ""));
}

/** Whether a path is a zarr store: by its name, or because a folder holds zarr's metadata. */
export async function isZarr(path: string): Promise<boolean> {
  if (isZarrName(path) || /^https?:/i.test(path)) return isZarrName(path);
  if (!(await statInput(path)).isDirectory) return false;
  const found = ["zarr.json", ".zgroup", ".zmetadata"].map((name) =>
    Deno.stat(`${path}/${name}`).then(() => true, () => false)
  );
  return (await Promise.all(found)).includes(true);
}

/** Refuses a path where no cells can be: neither a file nor a folder that is a zarr store. */
export async function checkInputCells(path: string): Promise<void> {
  if (!await isZarr(path)) await checkInputFile(path);
}

/** Opens annotated data: a path or an http(s) address, h5ad or zarr. */
export async function openCells(path: string, signal?: AbortSignal): Promise<AnnData> {
  const options = signal === undefined ? {} : { signal };
  return await (await isZarr(path) ? openZarr(path, options) : openH5ad(path, options));
}

/** How annotated data are written. */
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

/** Refuses a name that says neither format. */
export function checkFormatName(path: string): void {
  if (/\.(h5ad|zarr)\/?$/i.test(path)) return;
  throw new UsageError(`Cannot write ${path} as its name must end with .h5ad or .zarr`);
}

/** Writes annotated data: a zarr store where the name ends so, else an h5ad file. */
export async function writeFormat(
  adata: AnnData,
  path: string,
  options: CellsLayout,
): Promise<WriteReport> {
  const { compression, format = 2, shards = false, force, signal } = options;
  if (isZarrName(path) && !/\.zip$/i.test(path)) {
    const layout = { format, shards, force, signal, ...compression && { compression } };
    return await writeZarr(adata, path, layout as Parameters<typeof writeZarr>[2]);
  }
  const layout = { force, signal, ...compression && compression !== "none" && { compression } };
  return await writeH5ad(adata, path, layout as Parameters<typeof writeH5ad>[2]);
}
