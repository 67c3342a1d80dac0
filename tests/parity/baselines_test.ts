/** Baselines on real cells against scikit-learn 1.9.1, scipy 1.17.1 and harmonypy 0.0.10, where the cells are at hand. */
import assert from "node:assert/strict";
import { openH5ad } from "../../data/h5ad/mod.ts";
import { openWasmDevice } from "../../gpu/mod.ts";
import { nearestNeighbors } from "../../tasks/analysis/knn.ts";
import { logNormalize } from "../../tasks/analysis/log_normalize.ts";
import { pca } from "../../tasks/analysis/pca.ts";
import { selectColumns, type SparseRows } from "../../tasks/analysis/rows.ts";
import { topVarianceGenes } from "../../tasks/analysis/variable_genes.ts";
import { harmony } from "../../tasks/baselines/harmony.ts";
import {
  classProbabilities,
  fitLogisticRegression,
} from "../../tasks/baselines/logistic_regression.ts";
import { readCells } from "../../tasks/baselines/read_cells.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const PBMC3K = new URL("pbmc_10x_multibatch/pbmc3k_2638.h5ad", DATA);
const FOUR_BATCHES = new URL("pbmc_4batch_labelled/pbmc_4batch.h5ad", DATA);

const missing = await Deno.stat(DATA).then(() => false, () => true);
if (missing) console.log("baselines on real cells are skipped: no files beside the repository");

/** Every so many-th cell: log-normalised values of the genes that vary most, and columns of obs. */
async function readRows(
  file: URL,
  options: { step: number; nGenes: number; keys: readonly string[] },
): Promise<{ rows: SparseRows; columns: string[][] }> {
  using adata = await openH5ad(file.pathname);
  const obs = Array.from(
    { length: Math.ceil(adata.nObs / options.step) },
    (_, i) => i * options.step,
  );
  const cells = adata.select({ obs });
  const logged = logNormalize((await readCells(cells)).X);
  const columns = await Promise.all(
    options.keys.map(async (key) => [...(await cells.obs.column(key)).values()].map(String)),
  );
  return { rows: selectColumns(logged, topVarianceGenes(logged, options.nGenes)), columns };
}

/** Every other row, from `first` on. */
function half(rows: SparseRows, first: number): SparseRows {
  const kept = Array.from(
    { length: Math.floor((rows.nRows - first + 1) / 2) },
    (_, i) => first + 2 * i,
  );
  const slices = kept.map((row) => [rows.indptr[row]!, rows.indptr[row + 1]!] as const);
  const indptr = [0];
  for (const [start, end] of slices) indptr.push(indptr.at(-1)! + end - start);
  return {
    nRows: kept.length,
    nCols: rows.nCols,
    indptr: Uint32Array.from(indptr),
    indices: Uint32Array.from(slices.flatMap(([a, b]) => [...rows.indices.subarray(a, b)])),
    data: Float32Array.from(slices.flatMap(([a, b]) => [...rows.data.subarray(a, b)])),
  };
}

/**
 * Optima of scikit-learn's objectives, learnt from the even cells of pbmc3k, and what they say of the odd ones: C = 1, genes of largest
 * log-normalised variance. L2 by scikit-learn's lbfgs (tol 1e-8); L1 by scipy's L-BFGS-B on W = W⁺ - W⁻ (gtol 1e-6), as saga is still at
 * 230.77 after 3,000 epochs.
 */
const LOGISTIC = {
  l2: { nGenes: 300, objective: 29.004248199202607, right: 1148, confidence: 0.9492023945433077 },
  l1: { nGenes: 100, objective: 230.71062104121648, right: 1146, confidence: 0.9199639205705559 },
} as const;

for (const penalty of ["l2", "l1"] as const) {
  const name =
    `fitLogisticRegression() finds scikit-learn's ${penalty.toUpperCase()} optimum on pbmc3k`;
  Deno.test({ name, ignore: missing }, async () => {
    const wanted = LOGISTIC[penalty];
    const settings = { step: 1, nGenes: wanted.nGenes, keys: ["cell_type"] };
    const { rows, columns: [labels] } = await readRows(PBMC3K, settings);
    const learnt = labels!.filter((_, cell) => cell % 2 === 0);
    const asked = labels!.filter((_, cell) => cell % 2 === 1);
    const model = await fitLogisticRegression(half(rows, 0), learnt, { penalty });
    assert.ok(model.converged);
    assert.ok(Math.abs(model.objective / wanted.objective - 1) < 1e-4, `${model.objective}`);
    const probabilities = classProbabilities(model, half(rows, 1)), c = model.classes.length;
    let right = 0, confidence = 0;
    asked.forEach((label, cell) => {
      const own = probabilities.subarray(cell * c, (cell + 1) * c);
      const best = own.indexOf(Math.max(...own));
      if (model.classes[best] === label) right++;
      confidence += own[best]! / asked.length;
    });
    assert.ok(Math.abs(right - wanted.right) <= 1, `${right} of ${asked.length} right`);
    assert.ok(Math.abs(confidence - wanted.confidence) < 1e-4, `confidence ${confidence}`);
  });
}

function assertNear(actual: readonly number[], wanted: readonly number[], room: number): void {
  const far = actual.some((value, at) => Math.abs(value - wanted[at]!) > room);
  assert.ok(!far, `${actual} is not ${wanted}`);
}

/** Shares of the 15 nearest neighbours that come from another batch, and that have the same label. */
async function mixing(
  points: Float32Array,
  { nDims, batches, labels }: { nDims: number; batches: string[]; labels: string[] },
): Promise<[number, number]> {
  await using device = await openWasmDevice({ threads: 2 });
  const { indices } = await nearestNeighbors(device, points, points, { nDims, k: 16 });
  let other = 0, same = 0;
  indices.forEach((neighbor, at) => {
    const cell = Math.floor(at / 16);
    if (neighbor === cell) return;
    if (batches[neighbor] !== batches[cell]) other++;
    if (labels[neighbor] === labels[cell]) same++;
  });
  return [other / (15 * labels.length), same / (15 * labels.length)];
}

Deno.test({
  name: "harmony() mixes four batches of real cells as harmonypy does",
  ignore: missing,
  fn: async () => {
    const settings = { step: 4, nGenes: 1000, keys: ["batch", "cell_type"] };
    const { rows, columns: [batches, labels] } = await readRows(FOUR_BATCHES, settings);
    const { scores } = await pca(rows, { nComponents: 30 });
    const cells = { nDims: 30, batches: batches!, labels: labels! };
    const before = await mixing(scores, cells);
    const { corrected, objectives } = await harmony(scores, batches!, { nDims: 30 });
    const after = await mixing(corrected, cells);
    // harmonypy with 3 seeds: 0.6514 to 0.6529, 0.8576 to 0.8617, 660.7 to 667.5 from 1136.7 to 1140.6
    assertNear(before, [0.27650086, 0.92816467], 1e-4);
    assertNear(after, [0.6522, 0.8598], 0.01);
    assertNear([objectives[0]!, objectives.at(-1)!], [1138.4, 663.9], 15);
  },
});
