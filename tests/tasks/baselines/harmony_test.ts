import assert from "node:assert/strict";
import { harmony } from "../../../tasks/baselines/harmony.ts";
import { assertClose } from "../fixtures.ts";

interface Case {
  nDims: number;
  nClusters: number;
  theta: number | number[];
  lambda: number | number[];
  embedding: number[];
  batches: string[] | string[][];
  centroids: number[];
  corrected: number[];
  objectives: number[];
}

const { cases }: { cases: Case[] } = JSON.parse(
  await Deno.readTextFile(new URL("../../fixtures/tasks/baselines/harmony.json", import.meta.url)),
);

for (const { embedding, batches, centroids, corrected, objectives, ...settings } of cases) {
  const cells = Float32Array.from(embedding);
  const start = Float64Array.from(centroids);

  Deno.test(`harmony() gives harmonypy's numbers for theta ${settings.theta}`, async () => {
    const found = await harmony(cells, batches, { ...settings, centroids: start });
    assert.equal(found.objectives.length, objectives.length);
    assertClose(
      found.objectives.map((v, at) => v / objectives[at]!),
      objectives.map(() => 1),
      1e-6,
    );
    assertClose(found.corrected, corrected, 1e-4);
  });
}

const { embedding } = cases[0]!, batches = cases[0]!.batches as string[];
const cells = Float32Array.from(embedding);

Deno.test("harmony() mixes batches, the same for the same seed", async () => {
  const settings = { nDims: 5, seed: 4 };
  const { corrected, objectives } = await harmony(cells, batches, settings);
  assert.deepEqual((await harmony(cells, batches, settings)).corrected, corrected);
  assert.ok(objectives.at(-1)! < objectives[0]!);
  assert.ok(batchVariance(corrected) < 0.2 * batchVariance(cells));
});

/** Variance of the batches' means. */
function batchVariance(points: Float32Array): number {
  const names = [...new Set(batches)];
  let sum = 0;
  for (let j = 0; j < 5; j++) {
    const means = names.map((name) => {
      const own = batches.flatMap((batch, i) => batch === name ? [points[i * 5 + j]!] : []);
      return own.reduce((total, value) => total + value, 0) / own.length;
    });
    const mean = means.reduce((total, value) => total + value, 0) / names.length;
    sum += means.reduce((total, value) => total + (value - mean) ** 2, 0);
  }
  return sum;
}

Deno.test("harmony() takes one variable in a list, and one that says the same twice", async () => {
  const settings = { nDims: 5, seed: 4 };
  const { corrected } = await harmony(cells, batches, settings);
  assert.deepEqual((await harmony(cells, [batches], settings)).corrected, corrected);
  const twice = await harmony(cells, [batches, batches], { ...settings, lambda: [1, 1] });
  assert.ok(batchVariance(twice.corrected) < 0.2 * batchVariance(cells));
});

Deno.test("harmony() refuses what it cannot correct, and stops", async () => {
  const run = (options: object, of: string[] | string[][] = batches) =>
    harmony(cells, of, { nDims: 5, ...options });
  await assert.rejects(run({}, batches.map(() => "one")), /two batches: got 1/);
  await assert.rejects(
    run({}, [batches, batches.slice(1)]),
    /variable 1 must name .* 150 .*: got 149/,
  );
  await assert.rejects(run({ theta: [1, 2] }), /one of each of 1 variables: got 2/);
  await assert.rejects(run({ lambda: [0] }), /lambda must be > 0: got 0/);
  await assert.rejects(run({ nDims: 4 }), /150 cells of 4 dimensions need 600 values: got 750/);
  await assert.rejects(run({ theta: -1 }), /theta must be >= 0: got -1/);
  await assert.rejects(run({ lambda: 0 }), /lambda must be > 0: got 0/);
  await assert.rejects(run({ nClusters: 151 }), /in 1..150: got 151/);
  await assert.rejects(run({ nClusters: 3, centroids: cells }), /need 15 values: got 750/);
  await assert.rejects(run({ tetha: 1 }), /did you mean "theta"/);
  await assert.rejects(run({ signal: AbortSignal.abort() }), { name: "AbortError" });
  const strange = cells.with(7, NaN);
  await assert.rejects(harmony(strange, batches, { nDims: 5 }), /value 7 .* finite: got NaN/);
});
