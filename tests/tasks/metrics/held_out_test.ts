import assert from "node:assert/strict";
import { heldOutScores } from "../../../tasks/metrics/held_out.ts";

/** Cells of genes with means of their own; a value is its gene's mean and, in part, the cell's own. */
function held(cells: number, genes: number, own: (cell: number, gene: number) => number) {
  const size = cells * genes;
  const gene = Uint32Array.from({ length: size }, (_, i) => i % genes);
  const truth = Float32Array.from(gene, (g, i) => 5 * g + (Math.floor(i / genes) * 7 + g * 3) % 5);
  const values = truth.map((_, i) => own(Math.floor(i / genes), i % genes));
  return {
    indptr: Uint32Array.from({ length: cells + 1 }, (_, cell) => cell * genes),
    indices: gene,
    truth,
    values,
    step: Uint8Array.from(gene, (g) => 1 + g % 2),
  };
}

Deno.test("heldOutScores() tells what is known of cells from what is known of genes", () => {
  const means = heldOutScores(held(40, 6, (_, gene) => 5 * gene + 2), { seed: 1 });
  assert.ok(means.pearson! > 0.95);
  assert.ok(Math.abs(means.pearsonShuffledCells! - means.pearson!) < 1e-3);
  assert.ok(Math.abs(means.pearsonShuffledGenes!) < 0.2);
  const exact = held(40, 6, (cell, gene) => 5 * gene + (cell * 7 + gene * 3) % 5);
  const scores = heldOutScores(exact, { seed: 1 });
  assert.equal(scores.meanAbsoluteError, 0);
  assert.ok(Math.abs(scores.pearson! - 1) < 1e-12 && scores.pearsonShuffledCells! < 0.98);
  assert.deepEqual(heldOutScores(exact, { seed: 1 }), scores);
});

Deno.test("heldOutScores() scores each step by its own values", () => {
  const given = {
    indptr: Uint32Array.of(0, 4),
    indices: Uint32Array.of(0, 1, 2, 3),
    values: Float32Array.of(1, 2, 5, 7),
    truth: Float32Array.of(2, 4, 7, 5),
    step: Uint8Array.of(1, 1, 2, 2),
  };
  const { steps, values, meanAbsoluteError } = heldOutScores(given, { seed: 0 });
  assert.deepEqual([values, meanAbsoluteError], [4, 7 / 4]);
  assert.deepEqual(steps.map(({ step, values }) => [step, values]), [[1, 2], [2, 2]]);
  assert.ok(Math.abs(steps[0]!.pearson! - 1) < 1e-12 && Math.abs(steps[1]!.pearson! + 1) < 1e-12);
  assert.equal(steps[0]!.meanAbsoluteError, 1.5);
});

Deno.test("heldOutScores() has no correlation of values that do not vary", () => {
  const { pearson, pearsonShuffledGenes } = heldOutScores(held(3, 2, () => 4), { seed: 0 });
  assert.deepEqual([pearson, pearsonShuffledGenes], [null, null]);
});
