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
import { statInput } from "./inputs.ts";

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

/** Opens annotated data: a path or an http(s) address, h5ad or zarr. */
export async function openCells(path: string, signal: AbortSignal): Promise<AnnData> {
  if (!/^https?:/i.test(path)) await statInput(path);
  return await (await isZarr(path) ? openZarr(path, { signal }) : openH5ad(path, { signal }));
}

/** How a file is written. */
export interface WriteCellsOptions {
  /** Version of zarr. */
  readonly format: number;
  /** Compression, by the name that the format has for it; its own default where there is none. */
  readonly compression: string | undefined;
  /** Whether chunks of zarr share files. */
  readonly shards: boolean;
  /** Replaces what exists. */
  readonly force: boolean;
  /** Stops the writing. */
  readonly signal: AbortSignal;
}

/** Writes annotated data in the format that the name ends with. */
export async function writeCells(
  adata: AnnData,
  path: string,
  options: WriteCellsOptions,
): Promise<WriteReport> {
  const { compression, format, shards, force, signal } = options;
  if (isZarrName(path) && !/\.zip$/i.test(path)) {
    const layout = { format, shards, force, signal, ...compression && { compression } };
    return await writeZarr(adata, path, layout as Parameters<typeof writeZarr>[2]);
  }
  if (!/\.h5ad$/i.test(path)) {
    throw new UsageError(`Cannot write ${path} as its name must end with .h5ad or .zarr`);
  }
  const layout = { force, signal, ...compression && compression !== "none" && { compression } };
  return await writeH5ad(adata, path, layout as Parameters<typeof writeH5ad>[2]);
}
