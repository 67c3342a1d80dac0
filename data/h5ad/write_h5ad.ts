/** Writing AnnData into HDF5 files. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { targetOf } from "../copy_nodes.ts";
import type { MuData } from "../mudata.ts";
import type { WriteReport } from "../write_anndata.ts";
import { writeData } from "../write_mudata.ts";
import type { Hdf5Library } from "./hdf5_library.ts";
import { loadHdf5 } from "./hdf5_web.ts";
import { Hdf5Writer } from "./hdf5_write.ts";

/** How annotated data are written. */
export interface WriteOptions {
  /** Compresses every array; none is compressed unless told. */
  readonly compression?: "gzip";
  /** Stops the writing. */
  readonly signal?: AbortSignal;
}

/** Writes annotated or multimodal data to a path of the library's file system; the file is closed whatever happens. */
export async function writeHdf5(
  library: Hdf5Library,
  path: string,
  work: { data: AnnData | MuData; options: WriteOptions },
): Promise<WriteReport> {
  const { data, options } = work;
  const out = new Hdf5Writer(library, path, { gzip: options.compression === "gzip" });
  const target = targetOf(out, options.signal);
  try {
    await writeData(target, data);
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
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openH5ad, writeH5adBytes } from "@scgpt/sdk/data/h5ad";
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
    const report = await writeHdf5(library, path, { data: adata, options });
    return { ...report, bytes: FS.readFile(path) as Uint8Array<ArrayBuffer> };
  } finally {
    if (FS.analyzePath(path, true).exists) FS.unlink(path);
  }
}
