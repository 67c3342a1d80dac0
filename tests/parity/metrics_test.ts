/** Metrics of integration on thousands of real cells against scib 1.1.7 and scib-metrics 0.5.10, where the files are at hand. */
import assert from "node:assert/strict";
import { openH5ad } from "../../data/h5ad/mod.ts";
import { openWasmDevice } from "../../gpu/mod.ts";
import { selectColumns } from "../../tasks/analysis/rows.ts";
import {
  type IntegratedCells,
  type IntegrationMetric,
  integrationReport,
  logNormalize,
  pca,
  readCells,
  topVarianceGenes,
} from "../../tasks/mod.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);

/**
 * What Python says of `integrated` cells: 20 principal components of the 1,000 log-normalised genes of largest variance, with 0.7 of each
 * batch's mean taken off where there are batches; neighbours exact, Leiden and k-means over several seeds.
 */
interface Expected {
  /** Cells, spread evenly over the file. */
  readonly nCells: number;
  /** Numbers without draws. */
  readonly scores: Partial<Record<IntegrationMetric, number>>;
  /** Least and largest over seeds: of the best NMI at 10 resolutions and its ARI (3 seeds), and of k-means (10 seeds). */
  readonly ranges: Partial<Record<IntegrationMetric, readonly [number, number]>>;
  readonly kbetPerLabel?: Readonly<Record<string, number | null>>;
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  "pbmc_4batch_labelled/pbmc_4batch.h5ad": {
    nCells: 2000,
    scores: {
      "scib.asw_label": 0.5934385657,
      "scib.asw_batch": 0.797268033,
      "scib.graph_connectivity": 0.9368929484,
      "scib.isolated_labels_asw": 0.6309129596,
      "scib.pcr_comparison": 0.8959862334,
      "scib_metrics.isolated_labels": 0.6309129596,
      "scib_metrics.silhouette_label": 0.5934385657,
      "scib_metrics.clisi_knn": 0.9977102693,
      "scib_metrics.bras": 0.6637620926,
      "scib_metrics.ilisi_knn": 0.3220458031,
      "scib_metrics.kbet": 0.1175,
      "scib_metrics.kbet_per_label": 0.3643862345,
      "scib_metrics.graph_connectivity": 0.9038997772,
      "scib_metrics.pcr_comparison": 0.8959856657,
    },
    ranges: {
      "scib.nmi": [0.8281, 0.8316],
      "scib.ari": [0.7179, 0.7186],
      "scib_metrics.kmeans_nmi": [0.6768, 0.7324],
      "scib_metrics.kmeans_ari": [0.427, 0.5646],
    },
    kbetPerLabel: {
      "B": 0.4294871795,
      "CD14 Mono": 0.0317460317,
      "CD34+": null,
      "CD4 T": 0.099469496,
      "CD8 T": 0.030651341,
      "DC": 1,
      "FCGR3A Mono": 0.2926829268,
      "MK": null,
      "NK": 0.6666666667,
    },
  },
  "pbmc_10x_multibatch/pbmc3k_2638.h5ad": {
    nCells: 2638,
    scores: {
      "scib.asw_label": 0.5962281153,
      "scib.graph_connectivity": 0.982310003,
      "scib_metrics.clisi_knn": 0.9921889305,
      "scib_metrics.graph_connectivity": 0.9411737674,
    },
    ranges: {
      "scib.nmi": [0.7914, 0.7994],
      "scib.ari": [0.6929, 0.7205],
      "scib_metrics.kmeans_nmi": [0.7385, 0.779],
      "scib_metrics.kmeans_ari": [0.638, 0.6848],
    },
  },
};

/** How far one seed may lie outside the range of a few others. */
const SEED_SLACK = 0.03;

/** Coordinates of cells before and after the means of batches were mostly taken off. */
async function integrated(path: string, nCells: number): Promise<IntegratedCells> {
  using all = await openH5ad(path);
  const rows = Uint32Array.from({ length: nCells }, (_, i) => Math.floor(i * all.nObs / nCells));
  const cells = all.select({ obs: rows });
  const logged = logNormalize((await readCells(cells)).X);
  const genes = selectColumns(logged, topVarianceGenes(logged, 1000));
  const { scores, nComponents } = await pca(genes, { nComponents: 20 });
  const column = async (name: string) => [...(await cells.obs.column(name)).values()].map(String);
  const labels = await column("cell_type"), batches = await column("batch");
  const before = { nRows: nCells, nCols: nComponents, data: scores };
  if (new Set(batches).size === 1) return { embedding: before, labels };
  return { embedding: { ...before, data: shifted(scores, batches) }, before, labels, batches };
}

/** Rows less 0.7 of the mean of their batch. */
function shifted(data: Float32Array, batches: readonly string[]): Float32Array<ArrayBuffer> {
  const width = data.length / batches.length;
  const result = Float32Array.from(data);
  for (const batch of new Set(batches)) {
    const own = batches.flatMap((name, row) => name === batch ? [row] : []);
    for (let j = 0; j < width; j++) {
      const mean = own.reduce((sum, row) => sum + data[row * width + j]!, 0) / own.length;
      for (const row of own) result[row * width + j]! -= 0.7 * mean;
    }
  }
  return result;
}

for (const [path, expected] of Object.entries(EXPECTED)) {
  const url = new URL(path, DATA);
  const present = await Deno.stat(url).then(() => true, () => false);
  if (!present) console.log(`skipped: metrics of ${path}, as ../shared/data is absent`);
  Deno.test({
    name: `integrationReport() gives scib's and scib-metrics' numbers for ${path}`,
    ignore: !present,
    fn: async () => {
      await using device = await openWasmDevice({ threads: 1 });
      const report = await integrationReport(
        device,
        await integrated(url.pathname, expected.nCells),
      );
      for (const [key, value] of Object.entries(expected.scores)) {
        const found = report.scores[key as IntegrationMetric].value!;
        assert.ok(Math.abs(found - value) <= 1e-4, `${key}: ${found} is not ${value}`);
      }
      for (const [key, [least, most]] of Object.entries(expected.ranges)) {
        const found = report.scores[key as IntegrationMetric].value!;
        assert.ok(
          found >= least - SEED_SLACK && found <= most + SEED_SLACK,
          `${key}: ${found} is not in ${least}..${most}`,
        );
      }
      for (const [label, value] of Object.entries(expected.kbetPerLabel ?? {})) {
        const found = report.kbetPerLabel[label]!;
        if (value === null) assert.equal(found, null);
        else {assert.ok(
            Math.abs(found - value) <= 1e-3,
            `kBET of ${label}: ${found} is not ${value}`,
          );}
      }
    },
  });
}
