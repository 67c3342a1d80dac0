import type { MuData } from "../mudata.ts";
import type { WriteReport } from "../write_anndata.ts";
import { writeFile, type WriteFileOptions } from "./write_h5ad_deno.ts";

/** Bytes of the block before an h5mu file, a power of two from 512 on: HDF5 File Format Specification, II.A, "user block". */
const BLOCK_BYTES = 512;

/** How mudata knows its files. */
const MARK = "MuData (format-version=0.1.0;creator=scgpt-sdk;creator-version=0.1.0)";

/**
 * Writes multimodal data to an h5mu file that Python's mudata opens. The file appears under its name only when it is complete; parts
 * that are as they were read are copied in pieces.
 *
 * @param mdata The multimodal data.
 * @param path Where to write.
 * @param options Compression, an abort signal, and whether an existing file is replaced.
 * @returns What could not be written, with the reasons.
 * @throws {Deno.errors.AlreadyExists} Where the path exists and `force` is not given.
 *
 * @example A copy of some cells
 * ```ts
 * import assert from "node:assert/strict";
 * import { openH5mu, writeH5mu } from "@scgpt/sdk/data/h5ad";
 *
 * using mdata = await openH5mu("tests/fixtures/mudata/cite.h5mu");
 * const path = await Deno.makeTempFile({ suffix: ".h5mu" });
 * await writeH5mu(mdata.select({ obs: [0, 2] }), path, { force: true });
 * using copy = await openH5mu(path);
 * assert.deepEqual(copy.mod.prot!.obsNames, ["c1", "c3"]);
 * await Deno.remove(path);
 * ```
 */
export async function writeH5mu(
  mdata: MuData,
  path: string,
  options: WriteFileOptions = {},
): Promise<WriteReport> {
  const userBlock = new Uint8Array(BLOCK_BYTES);
  userBlock.set(new TextEncoder().encode(MARK));
  return await writeFile(path, options, { data: mdata, userBlock });
}
