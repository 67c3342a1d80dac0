/** Variable genes of real cells against scanpy 1.11.5 with a stable `numpy.argsort`, where the files are at hand. */
import assert from "node:assert/strict";
import { openH5ad } from "../../data/h5ad/mod.ts";
import { highlyVariableGenes, type HvgFlavor, preprocess } from "../../lib/mod.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const PBMC3K = "pbmc_10x_multibatch/pbmc3k_2638.h5ad";
const PBMC4K = "pbmc_10x_multibatch/pbmc4k_2170.h5ad";
const FOUR = "pbmc_4batch_labelled/pbmc_4batch.h5ad";

/** File, flavor, genes wanted, whether by batch; SHA-256 (16 digits) of the chosen columns, and of the ranks. */
const CASES: readonly (readonly [string, HvgFlavor, number, boolean, string, string?])[] = [
  [PBMC3K, "seurat_v3", 1200, false, "1f5b3230bbcb0338", "256b81f018677342"],
  [PBMC3K, "seurat_v3", 2000, false, "e53b4241fbc8dfe4", "020f98210e0b46a7"],
  [PBMC3K, "seurat", 1200, false, "14403cd5f3b39121"],
  [PBMC3K, "cell_ranger", 1200, false, "4cebb83248d8f286"],
  [PBMC4K, "seurat_v3", 1200, false, "9c3684cac9ad3953", "0f3bf7326b849e66"],
  [FOUR, "seurat_v3", 1200, true, "f3daa60df0c83451", "2b1f50b20409d73a"],
  [FOUR, "seurat_v3", 2000, true, "a17fc1581a4e90bd", "409b1f155184616c"],
  [FOUR, "seurat", 2000, true, "ed96deaec1580c24"],
  [FOUR, "cell_ranger", 2000, true, "753a8b545f4e382a"],
];

/** Digest of numbers written one after another, NaN as nothing. */
async function digest(numbers: ArrayLike<number>): Promise<string> {
  const text = Array.from(numbers, (one) => Number.isNaN(one) ? "" : `${one}`).join(",");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 16);
}

for (const [file, flavor, nTopGenes, byBatch, columns, ranks] of CASES) {
  const url = new URL(file, DATA);
  const present = await Deno.stat(url).then(() => true, () => false);
  if (!present) console.log(`skipped: ${file}, as ../shared/data is absent`);
  Deno.test({
    name: `highlyVariableGenes() chooses as scanpy: ${file}, ${flavor}, ${nTopGenes}, ${byBatch}`,
    ignore: !present,
    fn: async () => {
      using cells = await openH5ad(url.pathname);
      const { adata } = await preprocess(cells, { log1p: true });
      const batch = byBatch
        ? [...(await adata.obs.column("batch", "categorical")).values()]
        : undefined;
      const found = await highlyVariableGenes(
        await adata.matrix(flavor === "seurat_v3" ? undefined : "X_log1p"),
        { flavor, nTopGenes, ...batch && { batch } },
      );
      assert.equal(found.columns.length, nTopGenes);
      assert.equal(await digest(found.columns), columns);
      if (ranks !== undefined) {
        assert.equal(await digest(found.table.highly_variable_rank!), ranks);
      }
    },
  });
}
