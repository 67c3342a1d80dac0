import type { MuData } from "../mudata.ts";
import type { WriteReport } from "../write_anndata.ts";
import { h5muHead, SUPERBLOCK_BYTES } from "./user_block.ts";
import { writeHdf5 } from "./write_h5ad.ts";
import { writeFile, type WriteFileOptions } from "./write_h5ad_deno.ts";

/** Copies an HDF5 file behind the block that mudata knows its files by. */
async function withUserBlock(plain: string, path: string): Promise<void> {
  using from = await Deno.open(plain);
  using to = await Deno.open(path, { write: true, createNew: true });
  const superblock = new Uint8Array(SUPERBLOCK_BYTES);
  await from.read(superblock);
  const head = h5muHead(superblock);
  for (let at = 0; at < head.length;) at += await to.write(head.subarray(at));
  await from.readable.pipeTo(to.writable);
}

/**
 * Writes multimodal data to an h5mu file that Python's mudata opens. The file appears under its name only when it is complete; parts
 * that are as they were read are copied in pieces. While it is written it takes twice its room on the disk.
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
  return await writeFile(path, options, async (library, temporary) => {
    const plain = `${temporary}.hdf5`;
    try {
      const report = await writeHdf5(library, plain, { data: mdata, options });
      options.signal?.throwIfAborted();
      await withUserBlock(plain, temporary);
      return report;
    } finally {
      await Deno.remove(plain).catch(() => {});
    }
  });
}
