import type { AnnData } from "../anndata.ts";
import { writeWhole } from "../atomic_deno.ts";
import type { WriteReport } from "../write_anndata.ts";
import type { ByteSink } from "../hdf5/sink.ts";
import { checkWriteOptions, writeHdf5, type WriteOptions, type WriteWork } from "./write_h5ad.ts";

/** How a file is written. */
export interface WriteFileOptions extends WriteOptions {
  /** Replaces a file that exists; refused unless told. */
  readonly force?: boolean;
}

/**
 * Writes annotated data to an h5ad file that Python's anndata opens. The file appears under its name only when it is
 * complete. Parts that are as they were read from a file are copied as they are, in pieces, so that files larger than
 * memory can be written; float16 becomes float32.
 *
 * @param adata The annotated data.
 * @param path Where to write.
 * @param options Compression, an abort signal, and whether an existing file is replaced.
 * @returns What could not be written, with the reasons.
 * @throws {Deno.errors.AlreadyExists} Where the path exists and `force` is not given.
 *
 * @example Add an embedding to a file
 * ```ts
 * import assert from "node:assert/strict";
 * import { denseMatrix } from "@scgpt/sdk/data";
 * import { openH5ad, writeH5ad } from "@scgpt/sdk/data/h5ad";
 *
 * using adata = await openH5ad("tests/fixtures/h5ad/columns.h5ad");
 * const X_scgpt = denseMatrix(new Float32Array(adata.nObs * 2), [adata.nObs, 2]);
 * const path = await Deno.makeTempFile({ suffix: ".h5ad" });
 * const { notCarried } = await writeH5ad(adata.with({ obsm: { X_scgpt } }), path, { force: true });
 * assert.deepEqual(notCarried, []);
 * await Deno.remove(path);
 * ```
 */
export async function writeH5ad(
  adata: AnnData,
  path: string,
  options: WriteFileOptions = {},
): Promise<WriteReport> {
  return await writeFile(path, options, { data: adata });
}

/** Writes bytes of a file at places. */
function fileSink(file: Deno.FsFile): ByteSink {
  return {
    write(at, bytes) {
      file.seekSync(at, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    },
  };
}

/** Writes a file under a temporary name, and renames it when it is complete. */
export async function writeFile(
  path: string,
  options: WriteFileOptions,
  work: Pick<WriteWork, "data" | "userBlock">,
): Promise<WriteReport> {
  checkWriteOptions(options, ["force", "compression", "signal"]);
  const { force = false, signal } = options;
  signal?.throwIfAborted();
  const write = async (temporary: string) => {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    const report = await writeHdf5(fileSink(file), { ...work, options, name: path });
    signal?.throwIfAborted();
    return report;
  };
  return await writeWhole(path, write, { force });
}
