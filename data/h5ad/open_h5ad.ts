/** AnnData in HDF5 files. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { Schema } from "../frame/schema.ts";
import { type Hdf5File, openHdf5 } from "../hdf5/hdf5.ts";
import { readAnnData, typedAnnData } from "../read_anndata.ts";
import { isHttp, openSource } from "../source.ts";
import type { StorageGroup } from "../storage.ts";

/** Downloads a file whose server knows no ranges. */
async function download(url: string | URL, signal: AbortSignal | undefined): Promise<Blob> {
  const answer = await fetch(url, signal === undefined ? {} : { signal });
  if (!answer.ok) {
    throw new Error(
      `Cannot open ${url} as the server answered ${answer.status} ${answer.statusText}`,
    );
  }
  return await answer.blob();
}

/** Path of a `file:` URL; anything else as it is. */
function toPath(from: string | URL | Blob | Uint8Array): string | Blob | Uint8Array {
  if (!(from instanceof URL)) return from;
  return isHttp(from) ? String(from) : decodeURIComponent(from.pathname);
}

/** Opens whatever a caller may give. */
export async function openAny(
  from: string | URL | Blob | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Hdf5File> {
  const what = toPath(from);
  const source = isHttp(what)
    ? await openSource(what).catch(async () => openSource(await download(String(what), signal)))
    : await openSource(what);
  const name = isHttp(what) ? String(what) : source.name;
  return await openHdf5(source, name);
}

/** How an h5ad file is opened. */
export interface OpenH5adOptions<O extends Schema = Schema, V extends Schema = Schema> {
  /** Types of columns of obs, which are checked now and known to the compiler from then on. */
  readonly obs?: O;
  /** Types of columns of var. */
  readonly var?: V;
  /** Group inside the file that holds the AnnData, such as `mod/rna` of an h5mu file; the root unless told. */
  readonly path?: string;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** The group at a path below another. */
export async function groupAt(root: StorageGroup, path: string): Promise<StorageGroup> {
  let group = root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    const child = await group.get(name);
    if (child?.node !== "group") {
      const place = { file: root.file, key: path };
      throw new FormatError(
        "missing-key",
        "Cannot open an AnnData as there is no such group",
        place,
      );
    }
    group = child;
  }
  return group;
}

/**
 * Opens an h5ad file; reads its structure and the names of cells and genes, and the rest when it is asked for.
 *
 * @param source A path (on a server), a Blob or File, bytes, or an http(s) address; all are read in place, by ranges. A server that
 *   honours no ranges has its file downloaded whole.
 * @param options Types of columns of obs and var, the group inside the file, an abort signal.
 * @returns The annotated data; close them when done.
 * @throws {FormatError} Where it is not HDF5, is cut off, or is not an AnnData; `kind`, `file` and `key` tell.
 * @throws {RangeError} Where a column of the schema is missing.
 * @throws {TypeError} Where a column is of another type than the schema says.
 * @throws {Deno.errors.NotFound} Where there is no such file.
 *
 * @example Read labels and values
 * ```ts
 * import assert from "node:assert/strict";
 * import { openH5ad } from "@scgpt/sdk/data/h5ad";
 *
 * using adata = await openH5ad("tests/fixtures/h5ad/columns.h5ad", {
 *   obs: { label: "categorical", n_genes: "int64" },
 * });
 * const label = await adata.obs.column("label"); // known to be categorical
 * assert.deepEqual(label.categories, ["B", "T"]);
 * for await (const rows of adata.X!.rows({ batch: 2 })) assert.ok(rows.nRows <= 2);
 * ```
 */
export async function openH5ad<
  const O extends Schema = Schema,
  const V extends Schema = Schema,
>(
  source: string | URL | Blob | Uint8Array,
  options: OpenH5adOptions<O, V> = {},
): Promise<AnnData<O, V>> {
  checkOptions("open an h5ad file", options, ["obs", "var", "path", "signal"]);
  options.signal?.throwIfAborted();
  const file = await openAny(source, options.signal);
  try {
    const root = await groupAt(file.root, options.path ?? "");
    return await typedAnnData(await readAnnData(root, () => file.close()), options);
  } catch (error) {
    file.close();
    throw error;
  }
}
