/** AnnData in HDF5 files. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { Schema } from "../frame/schema.ts";
import {
  type Hdf5File,
  type Hdf5Library,
  type Hdf5Options,
  type MendableFile,
  openHdf5,
} from "./hdf5.ts";
import { blobReader, bytesReader, type SyncReader } from "./hdf5_pages.ts";
import { openRemote } from "./hdf5_remote.ts";
import { loadHdf5, type MountedFile, mountFile, mountPages } from "./hdf5_web.ts";
import { readAnnData, typedAnnData } from "../read_anndata.ts";
import type { StorageGroup } from "../storage.ts";
import { type ByteSource, isHttp, openSource } from "../source.ts";

const SIGNATURE = "\x89HDF\r\n\x1a\n";

/** Where the signature of HDF5 lies: at 0, 512, 1024, 2048, ... */
async function findSuperblock(source: ByteSource): Promise<number | undefined> {
  for (let at = 0; at + SIGNATURE.length <= source.size; at = at === 0 ? 512 : at * 2) {
    const bytes = await source.read(at, SIGNATURE.length);
    if (String.fromCharCode(...bytes) === SIGNATURE) return at;
  }
  return undefined;
}

/** Length that the superblock claims; undefined where it is of an unknown layout. */
async function claimedSize(source: ByteSource, at: number): Promise<number | undefined> {
  const length = Math.min(64, source.size - at);
  const view = new DataView((await source.read(at, length)).buffer);
  if (length < 52) return Infinity;
  const version = view.getUint8(8);
  const [widthAt, endAt] = version === 0 ? [13, 40] : version === 1 ? [13, 44] : [9, 28];
  if (version > 3 || view.getUint8(widthAt) !== 8) return undefined;
  return Number(view.getBigUint64(endAt, true));
}

/** Refuses what is not HDF5 and what was cut off, both of which the library reports in terms of its own. */
async function checkHdf5(source: ByteSource): Promise<void> {
  const place = { file: source.name, key: "/" };
  const at = await findSuperblock(source);
  if (at === undefined) {
    throw new FormatError(
      "not-hdf5",
      "Cannot open the file as it must be HDF5: it has no signature",
      place,
    );
  }
  const claimed = await claimedSize(source, at);
  if (claimed !== undefined && claimed > source.size) {
    throw new FormatError(
      "truncated",
      `Cannot open the file as it was cut off: it has ${source.size} bytes of ${claimed}`,
      place,
    );
  }
}

/** Downloads a file, where its server knows no ranges or this thread may not wait for them. */
async function download(url: string | URL, signal: AbortSignal | undefined): Promise<Blob> {
  const answer = await fetch(url, signal === undefined ? {} : { signal });
  if (!answer.ok) {
    throw new Error(
      `Cannot open ${url} as the server answered ${answer.status} ${answer.statusText}`,
    );
  }
  return await answer.blob();
}

/** Path of a `file:` URL, or the path itself. */
function toPath(from: string | URL): string {
  return from instanceof URL ? decodeURIComponent(from.pathname) : from;
}

/** A view of a file in which descriptions of data sets can be mended. */
async function mend(opening: Promise<SyncReader>): Promise<MendableFile> {
  const [reader, library] = await Promise.all([opening, loadHdf5()]);
  const { path, file, release } = mountPages(library, reader);
  const read = (at: number, length: number) => {
    const bytes = new Uint8Array(length);
    file.readInto(bytes, at);
    return new DataView(bytes.buffer);
  };
  return { library, path, read, patch: (patch) => file.patch(patch), release };
}

/** Opens a file of the server by path. */
async function openPath(path: string): Promise<Hdf5File> {
  using source = await openSource(path);
  await checkHdf5(source);
  const { fileReader, loadHdf5 } = await import("./hdf5_deno.ts");
  const mendable = () => mend(Promise.resolve(fileReader(path)));
  return openHdf5(await loadHdf5(), path, { name: path, mendable });
}

/** Opens content in memory, or a File that a worker can read by range. */
async function openContent(content: Uint8Array | Blob, name: string): Promise<Hdf5File> {
  using source = await openSource(content);
  await checkHdf5({ ...source, name });
  const library = await loadHdf5();
  const reader = () =>
    content instanceof Blob ? blobReader(content) : Promise.resolve(bytesReader(content));
  const mounted = await mountFile(library, content);
  return openMounted(library, mounted, { name, mendable: () => mend(reader()) });
}

/** Opens a file at an address: by ranges where that is possible, else as a whole. */
async function openAddress(url: string, signal: AbortSignal | undefined): Promise<Hdf5File> {
  const source = await openSource(url).catch(() => undefined);
  const reader = source && await openRemote({ url, size: source.size });
  if (source === undefined || reader === undefined) {
    return await openContent(await download(url, signal), url);
  }
  try {
    await checkHdf5(source);
    const library = await loadHdf5();
    const mounted = mountPages(library, reader);
    const mendable = () => mend(Promise.resolve({ ...reader, close() {} }));
    return openMounted(library, mounted, { name: url, failure: mounted.failure, mendable });
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** Opens a file that was made visible to the library, and releases it with the file. */
function openMounted(
  library: Hdf5Library,
  mounted: MountedFile,
  options: Hdf5Options,
): Hdf5File {
  try {
    const file = openHdf5(library, mounted.path, options);
    return { root: file.root, close: () => (file.close(), mounted.release()) };
  } catch (error) {
    mounted.release();
    throw error;
  }
}

/** Opens whatever a caller may give. */
export async function openAny(
  from: string | URL | Blob | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Hdf5File> {
  if (from instanceof Uint8Array) return await openContent(from, "bytes in memory");
  if (from instanceof Blob) {
    return await openContent(from, from instanceof File ? from.name : "blob");
  }
  if (isHttp(from)) return await openAddress(String(from), signal);
  return await openPath(toPath(from));
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
 * @param source A path (on a server, read in place), a Blob or File (read in place in a worker, else copied into memory),
 *   bytes, or an http(s) address (read by ranges where the server honours them, on a server and in a page's worker; else
 *   downloaded whole).
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
