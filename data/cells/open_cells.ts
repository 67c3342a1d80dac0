/** Annotated data in a file of any kind. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { isHttp, openSource } from "../source.ts";
import type { FeatureChoice } from "../tenx_features.ts";
import { type NamedFile, prefixOf, type TenxFiles } from "../text/mod.ts";
import type { ZarrSource } from "../zarr/mod.ts";
import { fileKind, READABLE } from "./kind.ts";

/** Where cells may be: whatever the openers of the single formats take. */
export type CellsSource = ZarrSource | readonly NamedFile[] | TenxFiles;

/** How cells are opened. Options for a format that the source is not of are refused or have no effect, as its opener says. */
export interface OpenCellsOptions extends FeatureChoice {
  /** Modality to read, where the source is a MuData with several. */
  readonly modality?: string;
  /** Genome to read, where the source is a 10x matrix with several. */
  readonly genome?: string;
  /** What stands before `matrix.mtx`, where a folder holds several triples. */
  readonly prefix?: string;
  /** Whether a CSV or TSV table holds genes x cells. */
  readonly transpose?: boolean;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

const OPTIONS = ["modality", "genome", "prefix", "transpose", "featureTypes", "signal"];

/** The options of these names that are given. */
function pick<K extends keyof OpenCellsOptions>(
  options: OpenCellsOptions,
  ...names: readonly K[]
): Pick<OpenCellsOptions, K> {
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]])) as Pick<
    OpenCellsOptions,
    K
  >;
}

/** Opens an HDF5 file. */
async function openHdf5(
  from: string | URL | Blob | Uint8Array,
  options: OpenCellsOptions,
): Promise<AnnData> {
  const { openHdf5Cells } = await import("../h5ad/mod.ts");
  const chosen = pick(options, "modality", "genome", "featureTypes", "signal");
  return await openHdf5Cells(from, chosen);
}

/** Opens a zarr store. */
async function openStore(from: ZarrSource, options: OpenCellsOptions): Promise<AnnData> {
  const { openZarrCells } = await import("../zarr/mod.ts");
  return await openZarrCells(from, pick(options, "modality", "signal"));
}

/** Opens a triple of text files. */
async function openTriple(
  from: string | URL | readonly NamedFile[] | TenxFiles,
  options: OpenCellsOptions,
): Promise<AnnData> {
  const { openTenxMtx } = await import("../text/mod.ts");
  return await openTenxMtx(from, pick(options, "prefix", "featureTypes", "signal"));
}

/** Opens the triple that a `matrix.mtx` belongs to. */
async function openMatrix(
  from: string | URL | Blob | Uint8Array,
  options: OpenCellsOptions,
): Promise<AnnData> {
  const path = from instanceof URL ? decodeURIComponent(from.pathname) : from;
  const [, folder = ".", name = ""] = typeof path === "string" && !isHttp(from)
    ? /^(?:(.*)\/)?([^/]*)$/.exec(path) ?? []
    : [];
  const prefix = prefixOf(name);
  if (prefix !== undefined) return await openTriple(folder || "/", { ...options, prefix });
  throw new RangeError(
    "Cannot open a Matrix Market file alone as it has no names of cells and genes: give the folder with " +
      "matrix.mtx, barcodes.tsv and features.tsv, or the three files",
  );
}

/** Opens a single file by its first bytes. */
async function openFile(
  from: string | URL | Blob | Uint8Array,
  options: OpenCellsOptions,
): Promise<AnnData> {
  const kind = await fileKind(from);
  if (kind === "hdf5") return await openHdf5(from, options);
  if (kind === "matrix-market") return await openMatrix(from, options);
  if (kind === "table") {
    const { openDelimited } = await import("../text/mod.ts");
    return await openDelimited(from, pick(options, "transpose", "signal"));
  }
  const { zipStore } = await import("../zarr/mod.ts");
  const source = await openSource(from);
  const store = await zipStore(source).catch((error) => {
    source[Symbol.dispose]();
    throw error;
  });
  return await openStore(store, options);
}

/** Opens what is at an address: by its bytes where they can be had by range, else by its name. */
async function openAddress(url: string | URL, options: OpenCellsOptions): Promise<AnnData> {
  const { pathname } = new URL(url);
  if (/\.zarr\/?$/i.test(pathname)) return await openStore(url, options);
  if (/\.(h5|h5ad|h5mu|hdf5)$/i.test(pathname)) return await openHdf5(url, options);
  return await openFile(url, options);
}

/** Opens what is at a path of the server. */
async function openPath(path: string, options: OpenCellsOptions): Promise<AnnData> {
  const { notFound, pathKind } = await import("./folder_deno.ts");
  const kind = await pathKind(path);
  if (kind === "file") return await openFile(path, options);
  if (kind === "zarr") return await openStore(path, options);
  if (kind === "triple") return await openTriple(path, options);
  if (kind === "folder") {
    throw new RangeError(`Cannot open the folder ${path} as it must be one of these: ${READABLE}`);
  }
  // FILE.h5mu/rna and FILE.h5mu/mod/rna name a modality, as in mudata.read.
  const [, file, modality] = /^(.+\.h5mu)\/(?:mod\/)?([^/]+)$/i.exec(path) ?? [];
  if (file !== undefined && await pathKind(file) === "file") {
    return await openHdf5(file, { ...options, modality: modality! });
  }
  throw notFound(path);
}

/**
 * Opens annotated data in a file or folder of any known kind, which its bytes tell: h5ad, h5mu and Cell Ranger's h5; zarr; a triple of
 * matrix.mtx, barcodes.tsv and features.tsv; a CSV or TSV table. Only what the kind needs is loaded.
 *
 * @param source A path (on a server; `FILE.h5mu/rna` names a modality), an http(s) address, a Blob or File, bytes, the files of a
 *   triple, or whatever `openZarr` takes.
 * @param options Modality, genome, feature types, prefix and orientation, for the kinds that have them; an abort signal.
 * @returns The annotated data; close them when done.
 * @throws {RangeError} Where the kind is not known, with a list of those that are; or where something has to be chosen.
 * @throws {FormatError} Where the file breaks its format; `kind`, `file` and `key` tell.
 * @throws {Deno.errors.NotFound} Where nothing is at the path.
 *
 * @example A table and a file
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCells } from "@scgpt/sdk/data/cells";
 *
 * using table = await openCells(new TextEncoder().encode("cell\tCD3D\tLYZ\nc1\t0\t3\n"));
 * assert.deepEqual(table.varNames, ["CD3D", "LYZ"]);
 * using file = await openCells("tests/fixtures/h5ad/columns.h5ad");
 * assert.equal(file.nObs, 4);
 * ```
 */
export async function openCells(
  source: CellsSource,
  options: OpenCellsOptions = {},
): Promise<AnnData> {
  checkOptions("open cells", options, OPTIONS);
  options.signal?.throwIfAborted();
  if (isHttp(source)) return await openAddress(source as string | URL, options);
  if (source instanceof URL) return await openPath(decodeURIComponent(source.pathname), options);
  if (typeof source === "string") {
    if ("Deno" in globalThis) return await openPath(source, options);
    throw new TypeError(`Cannot open ${source} as a page has no file system: give a File or files`);
  }
  if (source instanceof Blob || source instanceof Uint8Array) {
    return await openFile(source, options);
  }
  if (Array.isArray(source)) {
    const [only] = source as readonly NamedFile[];
    return source.length === 1 && prefixOf(only!.name) === undefined
      ? await openFile(only!, options)
      : await openTriple(source as readonly NamedFile[], options);
  }
  if ("matrix" in source && "barcodes" in source) return await openTriple(source, options);
  return await openStore(source as ZarrSource, options);
}
