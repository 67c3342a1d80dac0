import assert from "node:assert/strict";
import { RandomStream } from "../../../gpu/mod.ts";
import {
  assignAll,
  type Clustering,
  clusterSums,
  normalized,
  objectiveOf,
  updateAssignment,
} from "../../../tasks/baselines/harmony_clusters.ts";
import { assertClose } from "../fixtures.ts";

/** Four cells of two batches in the plane, two clusters along the axes. */
function clusters(theta: number): Clustering {
  return {
    n: 4,
    d: 2,
    nClusters: 2,
    batch: new Uint32Array([0, 0, 1, 1]),
    shares: new Float64Array([0.5, 0.5]),
    unit: normalized(new Float64Array([1, 0, 1, 0.1, 0.9, 0.2, 0, 1]), 2),
    assignment: new Float64Array(8),
    observed: new Float64Array(4),
    theta,
    sigma: 0.5,
    turn: () => Promise.resolve(),
  };
}

const AXES = new Float64Array([1, 0, 0, 1]);

Deno.test("assignAll() shares each cell out and counts batches by cluster", () => {
  const state = clusters(1);
  assignAll(state, AXES);
  for (let i = 0; i < 4; i++) {
    const [x, y] = state.unit.subarray(2 * i, 2 * i + 2);
    const first = 1 / (1 + Math.exp(2 * (y! - x!) / 0.5)); // softmax of -2 (1 - cos) / σ
    assertClose(state.assignment.subarray(2 * i, 2 * i + 2), [first, 1 - first], 1e-12);
  }
  assertClose([state.observed[0]! + state.observed[2]!], [2], 1e-12);
});

Deno.test("updateAssignment() with theta gives clusters the batch that they lack", async () => {
  const shares: number[] = [];
  for (const theta of [0, 4]) {
    const state = clusters(theta);
    assignAll(state, AXES);
    const random = new RandomStream(0, 7);
    await updateAssignment(state, AXES, { random, blockSize: 0.25 });
    shares.push(state.observed[1]! / (state.observed[0]! + state.observed[1]!));
    const counted = [0, 0, 0, 0];
    state.batch.forEach((b, i) => {
      for (let k = 0; k < 2; k++) counted[2 * k + b]! += state.assignment[2 * i + k]!;
    });
    assertClose(state.observed, counted, 1e-12);
  }
  assert.ok(shares[0]! < 0.35 && shares[1]! > shares[0]! + 0.02, `${shares}`);
});

Deno.test("objectiveOf() is the sum of its definition", async () => {
  const state = clusters(2);
  assignAll(state, AXES);
  const { assignment: R, observed: O, unit } = state;
  let wanted = 0;
  for (let i = 0; i < 4; i++) {
    for (let k = 0; k < 2; k++) {
      const share = R[2 * i + k]!, expected = (O[2 * k]! + O[2 * k + 1]!) / 2;
      const seen = O[2 * k + state.batch[i]!]!;
      wanted += share * 2 * (1 - unit[2 * i + k]!) + 0.5 * share * Math.log(share) +
        0.5 * 2 * share * Math.log((seen + 1) / (expected + 1));
    }
  }
  assertClose([objectiveOf(state, AXES, await clusterSums(state))], [wanted], 1e-12);
});

Deno.test("normalized() leaves a row of zeros", () => {
  assertClose(normalized(new Float64Array([3, 4, 0, 0]), 2), [0.6, 0.8, 0, 0], 1e-15);
});
