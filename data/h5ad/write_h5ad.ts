/** Writing AnnData into HDF5 files. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { targetOf } from "../copy_nodes.ts";
import { Hdf5Writer } from "../hdf5/hdf5_writer.ts";
import { type ByteSink, MemorySink } from "../hdf5/sink.ts";
import type { MuData } from "../mudata.ts";
import type { WriteReport } from "../write_anndata.ts";
import { writeData } from "../write_mudata.ts";

/** How annotated data are written. */
export interface WriteOptions {
  /** Compresses every array; none is compressed unless told. */
  readonly compression?: "gzip";
  /** Stops the writing. */
  readonly signal?: AbortSignal;
}

/** What is written, and how. */
export interface WriteWork {
  readonly data: AnnData | MuData;
  readonly options: WriteOptions;
  /** Name of the file, for messages. */
  readonly name: string;
  /** What stands before the HDF5 file. */
  readonly userBlock?: Uint8Array;
}

/** Writes annotated or multimodal data as an HDF5 file. */
export async function writeHdf5(sink: ByteSink, work: WriteWork): Promise<WriteReport> {
  const { data, options, name, userBlock } = work;
  const gzip = options.compression === "gzip";
  const out = new Hdf5Writer(sink, { name, gzip, ...userBlock && { userBlock } });
  const target = targetOf(out, options.signal);
  await writeData(target, data);
  await out.finish();
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
  const sink = new MemorySink();
  const report = await writeHdf5(sink, { data: adata, options, name: "bytes in memory" });
  return { ...report, bytes: sink.finish() };
}
