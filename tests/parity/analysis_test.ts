/** PCA, neighbours, clusters and pictures of real cells against scanpy, leidenalg and umap-learn, where the files are at hand. */
import assert from "node:assert/strict";
import type { CsrRows } from "../../data/mod.ts";
import { openH5ad } from "../../data/h5ad/mod.ts";
import { openWasmDevice } from "../../gpu/mod.ts";
import {
  leiden,
  logNormalize,
  modularity,
  type NeighborGraph,
  neighbors,
  pca,
  type SparseRows,
  umapLayout,
} from "../../tasks/mod.ts";
import { columnMoments, selectColumns } from "../../tasks/analysis/rows.ts";
import { adjustedRand, trustworthiness } from "../tasks/analysis/expected.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const FILES: Readonly<Record<string, string>> = {
  pbmc3k_2638: "pbmc_10x_multibatch/pbmc3k_2638.h5ad",
  pbmc_4batch: "pbmc_4batch_labelled/pbmc_4batch.h5ad",
};

interface Clusters {
  /** Of each of leidenalg's seeds. */
  modularity: number[];
  ariBetweenSeeds: number[];
  /** One character a cell. */
  clusters: string[];
}

interface Expected {
  /** Every step-th cell of the file was taken. */
  step: number;
  nObs: number;
  explainedVariance: number[];
  explainedVarianceRatio: number[];
  /** Of every 20th cell. */
  neighbors: number[][];
  connectivities: [number[], number[]][];
  nEdges: number;
  trustworthiness: number;
  leiden: Record<string, Clusters>;
}

const EXPECTED: Record<string, Expected> = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/tasks/analysis_real_cells.json", import.meta.url)),
);
/** Cells between two whose neighbours were recorded. */
const RECORDED = 20;

for (const [name, path] of Object.entries(FILES)) {
  const file = new URL(path, DATA);
  const present = await Deno.stat(file).then(() => true, () => false);
  if (!present) console.log(`skipped: ${path}, as ../shared/data is absent`);
  Deno.test({
    name: `the analyses of ${name} agree with scanpy`,
    ignore: !present,
    fn: (t) => compare(t, file, EXPECTED[name]!),
  });
}

async function compare(t: Deno.TestContext, file: URL, expected: Expected): Promise<void> {
  await using device = await openWasmDevice({ threads: 1 });
  const fitted = await pca(await readVariable(file, expected.step));
  await t.step("pca() gives the variances within 1e-4", () => {
    const worst = (found: Float64Array, wanted: readonly number[]) =>
      Math.max(...wanted.map((value, at) => Math.abs(found[at]! / value - 1)));
    assert.equal(fitted.nComponents, expected.explainedVariance.length);
    assert.ok(worst(fitted.explainedVariance, expected.explainedVariance) < 1e-4);
    assert.ok(worst(fitted.explainedVarianceRatio, expected.explainedVarianceRatio) < 1e-4);
  });
  const graph = await neighbors(device, fitted.scores, { nDims: fitted.nComponents });
  await t.step("neighbors() finds 99.9 % of the neighbours", () => {
    const shares = expected.neighbors.map((wanted, at) => {
      const start = at * RECORDED * graph.knn.k;
      const found = new Set(graph.knn.indices.subarray(start, start + graph.knn.k));
      return wanted.filter((cell) => found.has(cell)).length / wanted.length;
    });
    assert.equal(graph.n, expected.nObs);
    assert.ok(shares.reduce((sum, share) => sum + share, 0) / shares.length >= 0.999);
  });
  await t.step("neighbors() gives the connectivities", () => compareEdges(graph, expected));
  for (const [resolution, wanted] of Object.entries(expected.leiden)) {
    await t.step(
      `leiden() is as good as leidenalg at resolution ${resolution}`,
      () => compareClusters(graph, Number(resolution), wanted),
    );
  }
  await t.step("umapLayout() is as trustworthy as umap-learn's, within 0.01", async () => {
    const points = await umapLayout(graph);
    const found = trustworthiness(fitted.scores, fitted.nComponents, { ...points, k: 15 });
    assert.ok(found > expected.trustworthiness - 0.01, `${found}`);
  });
}

/** Log-normalised values of the 2,000 genes that vary most. */
async function readVariable(file: URL, step: number): Promise<SparseRows> {
  using adata = await openH5ad(file.pathname);
  const blocks: CsrRows[] = [];
  for await (const block of adata.X!.rows()) blocks.push(block);
  const logged = logNormalize(everyRow(blocks, step));
  const { variance } = columnMoments(logged);
  const order = Array.from(variance, (_, gene) => gene);
  order.sort((a, b) => variance[b]! - variance[a]! || a - b);
  return selectColumns(logged, order.slice(0, 2000));
}

/** Rows 0, step, 2 step ... of all blocks. */
function everyRow(blocks: readonly CsrRows[], step: number): SparseRows {
  const indptr = [0], indices: Uint32Array[] = [], data: (Float32Array | Float64Array)[] = [];
  for (const block of blocks) {
    for (let row = 0; row < block.nRows; row++) {
      if ((block.start + row) % step !== 0) continue;
      const start = block.indptr[row]!, end = block.indptr[row + 1]!;
      indices.push(block.indices.slice(start, end));
      data.push(block.data.slice(start, end));
      indptr.push(indptr.at(-1)! + end - start);
    }
  }
  const joined = {
    indices: new Uint32Array(indptr.at(-1)!),
    data: new Float32Array(indptr.at(-1)!),
  };
  indices.forEach((row, at) => joined.indices.set(row, indptr[at]));
  data.forEach((row, at) => joined.data.set(row, indptr[at]));
  const nCols = blocks[0]!.nCols;
  return { nRows: indptr.length - 1, nCols, indptr: Uint32Array.from(indptr), ...joined };
}

function compareEdges(graph: NeighborGraph, expected: Expected): void {
  let edges = 0, close = 0;
  for (const [at, [cells, weights]] of expected.connectivities.entries()) {
    const start = graph.indptr[at * RECORDED]!, end = graph.indptr[at * RECORDED + 1]!;
    const found = new Map<number, number>();
    for (let edge = start; edge < end; edge++) {
      found.set(graph.indices[edge]!, graph.connectivities[edge]!);
    }
    cells.forEach((cell, place) => {
      edges++;
      if (Math.abs((found.get(cell) ?? 0) - weights[place]!) < 5e-5) close++; // of the scores' rounding
    });
  }
  assert.ok(close / edges >= 0.999, `${close} of ${edges}`);
  assert.ok(Math.abs(graph.indices.length / expected.nEdges - 1) < 1e-3);
}

/** Quality at least leidenalg's mean less 0.001, and agreement with it at least as two of its own seeds have at the worst. */
async function compareClusters(
  graph: NeighborGraph,
  resolution: number,
  { modularity: theirs, ariBetweenSeeds, clusters }: Clusters,
): Promise<void> {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = await leiden(graph, { resolution });
  const quality = modularity(graph, found, resolution);
  const agreement = mean(clusters.map((labels) => adjustedRand(found, [...labels].map(clusterOf))));
  const summary = `modularity ${quality} and ${mean(theirs)}, ARI ${agreement} and ${
    mean(ariBetweenSeeds)
  } between seeds`;
  assert.ok(quality > mean(theirs) - 1e-3, summary);
  assert.ok(agreement >= Math.min(...ariBetweenSeeds), summary);
}

function clusterOf(digit: string): number {
  return parseInt(digit, 36);
}
