/** Writing AnnData into zarr stores. */
import type { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { targetOf } from "../copy_nodes.ts";
import type { MuData } from "../mudata.ts";
import type { WriteReport } from "../write_anndata.ts";
import { writeData } from "../write_mudata.ts";
import { COMPRESSIONS, loadCompressor, type ZarrCompression } from "./encoders.ts";
import type { ZarrFormat } from "./hierarchy.ts";
import { handleSink, type ZarrSink } from "./sink.ts";
import { ZarrWriter } from "./zarr_write.ts";

/** How a zarr store is written. */
export interface WriteZarrOptions {
  /** Version of the format; 2, which every tool reads, unless told. */
  readonly format?: ZarrFormat;
  /** Compression of the chunks; "zstd" unless told. */
  readonly compression?: ZarrCompression;
  /** Whether 64 small chunks of numbers share a file, for quick access to single rows; version 3 alone. */
  readonly shards?: boolean;
  /** Replaces a folder that exists; refused unless told. For paths alone. */
  readonly force?: boolean;
  /** Stops the writing. */
  readonly signal?: AbortSignal;
}

/** Refuses options that are not known or do not fit. */
function checkLayout(options: WriteZarrOptions): void {
  const known = ["format", "compression", "shards", "force", "signal"];
  checkOptions("write a zarr store", options, known);
  const { format = 2, compression = "zstd", shards = false } = options;
  const refuse = (rule: string, value: unknown): never => {
    throw new RangeError(`Cannot write a zarr store as ${rule}: got ${value}`);
  };
  if (format !== 2 && format !== 3) refuse("format must be 2 or 3", format);
  if (!COMPRESSIONS.includes(compression)) {
    refuse(`compression must be one of ${COMPRESSIONS.join(", ")}`, compression);
  }
  if (shards && format !== 3) refuse("shards need format 3", format);
}

/** Writes into a sink. */
async function writeInto(
  sink: ZarrSink,
  data: AnnData | MuData,
  options: WriteZarrOptions,
): Promise<WriteReport> {
  const { format = 2, compression = "zstd", shards = false, signal } = options;
  const compress = await loadCompressor(compression);
  const out = new ZarrWriter(sink, { format, compression, compress, shards });
  const target = targetOf(out, signal);
  await writeData(target, data);
  signal?.throwIfAborted();
  await out.finish();
  return { notCarried: target.notCarried };
}

/**
 * Writes annotated or multimodal data to a zarr store that Python's anndata or mudata opens, with consolidated metadata. Parts that are as they were read
 * from a file are copied in pieces, so that data larger than memory can be written.
 *
 * @param data The annotated or multimodal data.
 * @param destination Path of a folder, which appears under its name only when it is complete; a folder handle of the browser's file
 *   system; or whatever takes values by key, such as a Map. Those two hold no metadata until all else is written.
 * @param options Version, compression, shards, replacement, an abort signal.
 * @returns What could not be written, with the reasons.
 * @throws {Deno.errors.AlreadyExists} Where the path exists and `force` is not given.
 *
 * @example Into memory and back
 * ```ts
 * import assert from "node:assert/strict";
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openZarr, writeZarr } from "@scgpt/sdk/data/zarr";
 *
 * const adata = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(1, 2), [2, 1]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }).with("kept", [true, false]),
 *   var: new DataFrame({ index: ["TP53"] }),
 * });
 * const store = new Map<string, Uint8Array>();
 * await writeZarr(adata, store, { format: 3 });
 * using copy = await openZarr(store);
 * assert.deepEqual([...await copy.X!.dense()], [1, 2]);
 * ```
 */
export async function writeZarr(
  data: AnnData | MuData,
  destination: string | URL | FileSystemDirectoryHandle | ZarrSink,
  options: WriteZarrOptions = {},
): Promise<WriteReport> {
  checkLayout(options);
  options.signal?.throwIfAborted();
  if (typeof destination === "string" || destination instanceof URL) {
    const { writeFolder } = await import("./sink_deno.ts");
    const path = destination instanceof URL
      ? decodeURIComponent(destination.pathname)
      : destination;
    return await writeFolder(
      path,
      options.force ?? false,
      (sink) => writeInto(sink, data, options),
    );
  }
  const sink = "getDirectoryHandle" in destination ? handleSink(destination) : destination;
  return await writeInto(sink, data, options);
}
