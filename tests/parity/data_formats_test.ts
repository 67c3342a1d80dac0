/** Real files against what Python's anndata 0.12 reads from them, where they are at hand. */
import assert from "node:assert/strict";
import type { AnnData } from "../../data/mod.ts";
import { openH5ad } from "../../data/h5ad/mod.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);

/** What Python reads. */
interface Expected {
  readonly shape: readonly [number, number];
  /** First cell and last gene. */
  readonly first: readonly [string, string];
  /** Values of X that are not zero. */
  readonly nnz: number;
  readonly sum: number;
  /** Sum over the last cell of value * (column + 1). */
  readonly lastRow: number;
  /** A column of labels, its number of categories, and the sum over cells of code * (row + 1). */
  readonly label?: readonly [string, number, number];
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  "a549_scicar_rna_atac/a549_atac.h5ad": {
    shape: [2641, 52761],
    first: ["sci_RNA_A_001_TCTCTCATCC", "hs37d5-35431239-35431838"],
    nnz: 1122541,
    sum: 1122541.0,
    lastRow: 1977871.0,
    label: ["cell_type", 3, 5580325],
  },
  "a549_scicar_rna_atac/a549_rna.h5ad": {
    shape: [2641, 1185],
    first: ["sci_RNA_A_001_TCTCTCATCC", "PDXDC2P"],
    nnz: 727824,
    sum: 1821429.0,
    lastRow: 435770.0,
    label: ["cell_type", 3, 5580325],
  },
  "asap_pbmc_protein/asap_pbmc_protein.h5ad": {
    shape: [17055, 216],
    first: ["AAACCCAAGACAAGCC-1_1", "CD1d"],
    nnz: 2846768,
    sum: 59667958.0,
    lastRow: 325276.0,
    label: ["coarse_cluster", 4, 363817645],
  },
  "formats/anndata_v0.5.0.h5ad": {
    shape: [700, 765],
    first: ["AAAGCCTGGCTAAC-1", "MT-ND3"],
    nnz: 535433,
    sum: -243.681057988666,
    lastRow: -4031.1320355907083,
    label: ["bulk_labels", 10, 1427578],
  },
  "formats/cellxgene_schema_example_valid.h5ad": {
    shape: [2, 7],
    first: ["X", "ENSG00000000419"],
    nnz: 14,
    sum: 50.5,
    lastRow: 140.0,
    label: ["cell_type_ontology_term_id", 1, 0],
  },
  "formats/made/csc_gzip_int32layer.h5ad": {
    shape: [300, 2000],
    first: ["AAGCGACTCGCTAA_pbmc14k", "MT-CYB"],
    nnz: 156517,
    sum: 374507.01326566935,
    lastRow: 1387883.670869708,
    label: ["cell_type", 8, 129279],
  },
  "formats/made/csr_gzip.h5ad": {
    shape: [300, 2000],
    first: ["AAGCGACTCGCTAA_pbmc14k", "MT-CYB"],
    nnz: 156517,
    sum: 374507.01326566935,
    lastRow: 1387883.670869708,
    label: ["cell_type", 8, 129279],
  },
  "formats/made/dense_f64_gzip.h5ad": {
    shape: [300, 2000],
    first: ["AAGCGACTCGCTAA_pbmc14k", "MT-CYB"],
    nnz: 156517,
    sum: 374507.01326566935,
    lastRow: 1387883.670869708,
    label: ["cell_type", 8, 129279],
  },
  "formats/simba_10xpbmc_atac_subset.h5ad": {
    shape: [100, 200],
    first: ["GCACCTAAGTTAGTGC-1_atac", "chr20_21395432_21397675"],
    nnz: 1281,
    sum: 3389.0,
    lastRow: 2001.0,
  },
  "formats/simba_10xpbmc_rna_subset.h5ad": {
    shape: [100, 200],
    first: ["GCACCTAAGTTAGTGC-1_rna", "AC005324.5"],
    nnz: 1112,
    sum: 3003.0,
    lastRow: 721.0,
  },
  "formats/zellkonverter_example_anndata.h5ad": {
    shape: [200, 459],
    first: ["Cell1", "Gene500"],
    nnz: 53667,
    sum: 144277.42675578594,
    lastRow: 168037.11507058144,
    label: ["louvain", 6, 39380],
  },
  "kang_ifnb/kang_harmony_2000.h5ad": {
    shape: [2000, 9015],
    first: ["TCGCAAGAGCGATT-1_c", "PRMT2"],
    nnz: 1129806,
    sum: 3081827.0,
    lastRow: 24518668.0,
    label: ["batch", 2, 1500500],
  },
  "kang_ifnb/kang_muscat_1556.h5ad": {
    shape: [1556, 1267],
    first: ["ATCATGCTGCGTAT-1", "PRMT2"],
    nnz: 585251,
    sum: 2338396.0,
    lastRow: 2574252.0,
    label: ["cluster_id", 5, 2416305],
  },
  "onek1k_subset/onek1k_7811.h5ad": {
    shape: [7811, 1000],
    first: ["ATTTCTGCAAACCCAT-64", "ENSG00000272216"],
    nnz: 889623,
    sum: 5527545.0,
    lastRow: 238790.0,
    label: ["cell_type", 4, 38228637],
  },
  "papalexi_eccite_thp1/papalexi_20729.h5ad": {
    shape: [20729, 299],
    first: ["cell1", "NFKBIA"],
    nnz: 1390126,
    sum: 4299765.0,
    lastRow: 37012.0,
    label: ["batch", 3, 266229129],
  },
  "pbmc_10x_multibatch/pbmc3k_2638.h5ad": {
    shape: [2638, 13714],
    first: ["AAACATACAACCAC", "SRSF10.1"],
    nnz: 2238732,
    sum: 6254880.0,
    lastRow: 14383032.0,
    label: ["cell_type", 9, 13191251],
  },
  "pbmc_10x_multibatch/pbmc4k_2170.h5ad": {
    shape: [2170, 33694],
    first: ["GCGAGAAGTTCTGGTA", "FAM231B"],
    nnz: 2867135,
    sum: 9436596.0,
    lastRow: 48237566.0,
    label: ["soupx_annotation", 6, 7260127],
  },
  "pbmc_10x_multibatch/pbmc_symphony_1200.h5ad": {
    shape: [1200, 1767],
    first: ["fivePrime_GATCGCGAGACCGGAT", "IL1RN"],
    nnz: 245676,
    sum: 1495544.0,
    lastRow: 496837.0,
    label: ["cell_type", 9, 3754773],
  },
  "pbmc_4batch_labelled/pbmc_4batch.h5ad": {
    shape: [11657, 8611],
    first: ["CGTGAAACATTTCC_pbmc14k", "AL592183.1"],
    nnz: 8865503,
    sum: 26333501.0,
    lastRow: 12066921.0,
    label: ["cell_type", 9, 204698224],
  },
  "pbmc_cite_10k5k/pbmc_cite_10k5k.h5ad": {
    shape: [10849, 4000],
    first: ["AAACCCAAGATTGTGA-1_10k", "AC240274.1"],
    nnz: 4598994,
    sum: 15365525.0,
    lastRow: 11067182.0,
    label: ["batch", 2, 35356885],
  },
  "pbmc_cite_10k5k/pbmc_cite_400cells_allgenes.h5ad": {
    shape: [400, 15792],
    first: ["AAACCCAAGATTGTGA-1_10k", "AC240274.1"],
    nnz: 703993,
    sum: 2258575.0,
    lastRow: 52378303.0,
    label: ["batch", 2, 60100],
  },
};

/** Registers a test that is skipped, with the reason, when a file is absent. */
function testWith(path: string, test: (path: string) => Promise<void>): void {
  const url = new URL(path, DATA);
  let present = true;
  try {
    Deno.statSync(url);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    present = false;
    console.log(`skipped: ${path}, as ../shared/data is absent`);
  }
  Deno.test({
    name: `openH5ad() reads ${path} as Python does`,
    ignore: !present,
    fn: () => test(url.pathname),
  });
}

/** Counts and sums of X by streaming it in batches of 100 cells. */
async function summarize(adata: AnnData) {
  const X = await adata.matrix();
  let [nnz, sum, lastRow] = [0, 0, 0];
  for await (const rows of X.rows({ batch: 100 })) {
    rows.data.forEach((value, k) => {
      if (value !== 0) nnz++;
      sum += value;
      if (rows.start + rows.nRows === adata.nObs && k >= rows.indptr.at(-2)!) {
        lastRow += value * (rows.indices[k]! + 1);
      }
    });
  }
  return { nnz, sum, lastRow };
}

/** Whether two numbers agree to nine digits, which is what the order of summation leaves. */
function close(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

for (const [file, expected] of Object.entries(EXPECTED)) {
  testWith(file, async (path) => {
    using adata = await openH5ad(path);
    assert.deepEqual([adata.nObs, adata.nVars], expected.shape);
    assert.deepEqual([adata.obsNames[0], adata.varNames.at(-1)], expected.first);
    const found = await summarize(adata);
    assert.equal(found.nnz, expected.nnz);
    assert.ok(close(found.sum, expected.sum), `sum ${found.sum}`);
    assert.ok(close(found.lastRow, expected.lastRow), `last row ${found.lastRow}`);
    if (expected.label === undefined) return;
    const [name, count, codes] = expected.label;
    const label = await adata.obs.column(name, "categorical");
    assert.equal(label.categories.length, count);
    assert.equal(label.codes.reduce((total, code, row) => total + code * (row + 1), 0), codes);
  });
}

testWith("formats/mudata_v0.4.1.h5mu", async (path) => {
  await assert.rejects(openH5ad(path), /the root must be one: it is MuData/);
});
