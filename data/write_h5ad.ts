/** Writing AnnData into HDF5 files. */
import type { AnnData, AxisArray } from "./anndata.ts";
import { checkOptions } from "./checks.ts";
import { targetOf } from "./copy_nodes.ts";
import type { Hdf5Library } from "./hdf5.ts";
import { loadHdf5 } from "./hdf5_web.ts";
import { Hdf5Writer } from "./hdf5_write.ts";
import { entryOrigin, type LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix, originOf } from "./matrix.ts";
import type { UnsValue } from "./uns.ts";
import {
  checkName,
  encoding,
  type NotCarried,
  type Target,
  writeFrame,
  writeMatrix,
  writeValue,
} from "./write_elements.ts";

/** How annotated data are written. */
export interface WriteOptions {
  /** Compresses every array; none is compressed unless told. */
  readonly compression?: "gzip";
  /** Stops the writing. */
  readonly signal?: AbortSignal;
}

/** What the writing left out. */
export interface WriteReport {
  /** Parts of the data that could not be written, with the reasons; empty where the copy is complete. */
  readonly notCarried: readonly NotCarried[];
}

/** Writes X or raw.X, which must not be left out. */
async function writeX(target: Target, key: string, X: Matrix): Promise<void> {
  const node = originOf(X);
  if (node === undefined) return await writeMatrix(target, key, X);
  if (await target.copy(key, node)) return;
  throw new Error(`Cannot write ${key}: ${target.notCarried.at(-1)!.reason}`);
}

/** Writes named values; those that are as they were read are copied. */
async function writeMap<T>(
  target: Target,
  map: LazyMap<T>,
  options: { key: string; write: (target: Target, key: string, value: T) => Promise<void> },
): Promise<void> {
  const { key, write } = options;
  target.out.group(key, encoding("dict", "0.1.0"));
  for (const [name, entry] of map.entries()) {
    checkName(key, name);
    const node = entryOrigin(entry);
    if (node !== undefined) await target.copy(`${key}/${name}`, node);
    else await write(target, `${key}/${name}`, await entry.load());
  }
}

/** Writes what obsm and varm hold. */
async function writeAxisArray(target: Target, key: string, value: AxisArray): Promise<void> {
  if (isMatrix(value)) await writeMatrix(target, key, value);
  else await writeFrame(target, key, value);
}

/** Writes everything. */
async function writeParts(target: Target, adata: AnnData): Promise<void> {
  const { out } = target;
  out.attributes("", encoding("anndata", "0.1.0"));
  await writeFrame(target, "obs", adata.obs);
  await writeFrame(target, "var", adata.var);
  if (adata.X !== undefined) await writeX(target, "X", adata.X);
  await writeMap<Matrix>(target, adata.layers, { key: "layers", write: writeMatrix });
  await writeMap<AxisArray>(target, adata.obsm, { key: "obsm", write: writeAxisArray });
  await writeMap<AxisArray>(target, adata.varm, { key: "varm", write: writeAxisArray });
  await writeMap<Matrix>(target, adata.obsp, { key: "obsp", write: writeMatrix });
  await writeMap<Matrix>(target, adata.varp, { key: "varp", write: writeMatrix });
  await writeMap<UnsValue>(target, adata.uns, { key: "uns", write: writeValue });
  const { raw } = adata;
  if (raw === undefined) return;
  out.group("raw", encoding("raw", "0.1.0"));
  await writeX(target, "raw/X", raw.X);
  await writeFrame(target, "raw/var", raw.var);
  await writeMap<AxisArray>(target, raw.varm, { key: "raw/varm", write: writeAxisArray });
}

/** Writes annotated data to a path of the library's file system; the file is closed whatever happens. */
export async function writeAnnData(
  library: Hdf5Library,
  path: string,
  work: { adata: AnnData; options: WriteOptions },
): Promise<WriteReport> {
  const { adata, options } = work;
  const out = new Hdf5Writer(library, path, { gzip: options.compression === "gzip" });
  const target = targetOf(out, options.signal);
  try {
    await writeParts(target, adata);
    out.finish();
  } finally {
    out.abandon();
  }
  return { notCarried: target.notCarried };
}

/** Refuses options that are not known. */
export function checkWriteOptions(options: object, known: readonly string[]): void {
  checkOptions("write an h5ad file", options, known);
  const { compression } = options as WriteOptions;
  if (compression !== undefined && compression !== "gzip") {
    throw new RangeError(
      `Cannot write an h5ad file as compression must be "gzip" or absent: got ${compression}`,
    );
  }
}

let written = 0;

/**
 * Makes the bytes of an h5ad file, for a page to offer as a download.
 *
 * @param adata The annotated data; what they still have to read is read.
 * @param options Compression and an abort signal.
 * @returns The bytes and what could not be written.
 *
 * @example From memory to bytes and back
 * ```ts
 * import assert from "node:assert/strict";
 * import { AnnData, DataFrame, denseMatrix, openH5ad, writeH5adBytes } from "@scgpt/sdk/data";
 *
 * const adata = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(1, 2), [2, 1]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }).with("kept", [true, false]),
 *   var: new DataFrame({ index: ["TP53"] }),
 * });
 * const { bytes } = await writeH5adBytes(adata);
 * using copy = await openH5ad(bytes);
 * assert.deepEqual([...(await copy.obs.column("kept", "boolean")).values()], [true, false]);
 * ```
 */
export async function writeH5adBytes(
  adata: AnnData,
  options: WriteOptions = {},
): Promise<WriteReport & { readonly bytes: Uint8Array<ArrayBuffer> }> {
  checkWriteOptions(options, ["compression", "signal"]);
  const library = await loadHdf5();
  const { FS } = library.module;
  const path = `/written${written++}.h5ad`;
  try {
    const report = await writeAnnData(library, path, { adata, options });
    return { ...report, bytes: FS.readFile(path) as Uint8Array<ArrayBuffer> };
  } finally {
    if (FS.analyzePath(path, true).exists) FS.unlink(path);
  }
}
