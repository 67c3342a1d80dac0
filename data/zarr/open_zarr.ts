/** AnnData in zarr stores. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import type { Schema } from "../frame/schema.ts";
import { readAnnData, typedAnnData } from "../read_anndata.ts";
import { isHttp, openSource } from "../source.ts";
import { openHierarchy } from "./hierarchy.ts";
import { openNodes, type OpenZarr as OpenStore } from "./nodes.ts";
import { handleStore, memoryStore, type ZarrStore } from "./store.ts";
import { httpFile, httpStore } from "./store_http.ts";
import { zipStore } from "./store_zip.ts";

/** Where a zarr store may be. */
export type ZarrSource =
  | string
  | URL
  | Blob
  | Uint8Array
  | ReadonlyMap<string, Uint8Array | Blob>
  | FileSystemDirectoryHandle
  | ZarrStore;

/** How a zarr store is opened. */
export interface OpenZarrOptions<O extends Schema = Schema, V extends Schema = Schema> {
  /** Types of columns of obs, which are checked now and known to the compiler from then on. */
  readonly obs?: O;
  /** Types of columns of var. */
  readonly var?: V;
  /** Group inside the store that holds the AnnData, such as `mod/rna`; the root unless told. */
  readonly path?: string;
  /** Used in place of the global `fetch` for http(s) addresses. */
  readonly fetch?: typeof fetch;
  /** Stops the opening, and for an http(s) address all reading. */
  readonly signal?: AbortSignal;
}

/** Path of a `file:` URL, or the path itself. */
function toPath(from: string | URL): string {
  return from instanceof URL ? decodeURIComponent(from.pathname) : from;
}

/** Whether an address or path names a ZIP file. */
function isZip(from: string | URL): boolean {
  return /\.zip$/i.test(from instanceof URL ? from.pathname : from.replace(/[?#].*$/, ""));
}

/** A store over whatever a caller may give. */
async function storeOf(source: ZarrSource, options: OpenZarrOptions): Promise<ZarrStore> {
  if (source instanceof Uint8Array || source instanceof Blob) {
    return await zipStore(await openSource(source));
  }
  if (source instanceof Map) return memoryStore(source);
  if (typeof source === "string" || source instanceof URL) {
    if (isHttp(source)) {
      const address = new URL(source);
      return isZip(source)
        ? await zipStore(await httpFile(address, options))
        : httpStore(address, options);
    }
    if (!("Deno" in globalThis)) {
      throw new TypeError(
        `Cannot open ${source} as a page has no file system: give a folder handle, a File, a Map or an http address`,
      );
    }
    const { folderStore, isFolder } = await import("./store_deno.ts");
    const path = toPath(source);
    return await isFolder(path) ? folderStore(path) : await zipStore(await openSource(path));
  }
  if ("getDirectoryHandle" in source) return handleStore(source as FileSystemDirectoryHandle);
  return source as ZarrStore;
}

/** Opens a store at one of its groups. */
export async function openRoot(
  source: ZarrSource,
  options: Pick<OpenZarrOptions, "path" | "fetch" | "signal">,
): Promise<OpenStore> {
  const { path = "", signal } = options;
  signal?.throwIfAborted();
  const store = await storeOf(source, options);
  try {
    return await openNodes(await openHierarchy(store), path.replace(/^\/+|\/+$/g, ""));
  } catch (error) {
    store.close?.();
    throw error;
  }
}

/**
 * Opens annotated data in a zarr store of version 2 or 3; reads their structure and the names of cells and genes, and the rest when
 * it is asked for.
 *
 * @param source A folder or a `.zip` file by path, http(s) address, Blob or bytes; a folder handle of the browser's file system; a
 *   Map of values by key; or a {@linkcode ZarrStore}. ZIP files and large values are read by ranges.
 * @param options Types of columns of obs and var, the group inside the store, another `fetch`, an abort signal.
 * @returns The annotated data; close them when done.
 * @throws {FormatError} Where it is no zarr store, cannot be listed, or holds no AnnData; `kind`, `file` and `key` tell.
 * @throws {RangeError} Where a column of the schema is missing.
 * @throws {TypeError} Where a column is of another type than the schema says.
 * @throws {Deno.errors.NotFound} Where there is no such folder or file.
 *
 * @example Labels and values
 * ```ts
 * import assert from "node:assert/strict";
 * import { openZarr } from "@scgpt/sdk/data/zarr";
 *
 * using adata = await openZarr("tests/fixtures/zarr/columns_v3.zarr.zip");
 * const label = await adata.obs.column("label", "categorical");
 * assert.deepEqual(label.categories, ["B", "T"]);
 * for await (const rows of adata.X!.rows({ batch: 2 })) assert.ok(rows.nRows <= 2);
 * ```
 */
export async function openZarr<
  const O extends Schema = Schema,
  const V extends Schema = Schema,
>(
  source: ZarrSource,
  options: OpenZarrOptions<O, V> = {},
): Promise<AnnData<O, V>> {
  checkOptions("open a zarr store", options, ["obs", "var", "path", "fetch", "signal"]);
  const { root, close } = await openRoot(source, options);
  try {
    return await typedAnnData(await readAnnData(root, close), options);
  } catch (error) {
    close();
    throw error;
  }
}
