import assert from "node:assert/strict";
import { Float64Space, RandomStream } from "../../../gpu/mod.ts";
import { batchesOf } from "../../../tasks/baselines/harmony_batches.ts";
import {
  assignAll,
  type Clustering,
  normalized,
  objectiveOf,
  sumClusters,
  updateAssignment,
} from "../../../tasks/baselines/harmony_clusters.ts";
import { assertClose } from "../fixtures.ts";

/** Four cells of two batches in the plane (and of two kits), two clusters along the axes. */
function clusters(theta: number, variables = 1): Clustering {
  const names = [["x", "x", "y", "y"], ["a", "b", "a", "b"]].slice(0, variables);
  const batches = batchesOf(names, { theta, lambda: 1 });
  const cells = [4, 2] as const, own = [2, 2] as const;
  const space = new Float64Space({
    ...{ cells, corrected: cells, unit: cells, assignment: cells },
    ...{ axes: own, sums: own, effects: own },
  });
  const { unit } = space.matrices;
  [[1, 0], [1, 0.1], [0.9, 0.2], [0, 1]].forEach((cell, i) => unit.data.set(cell, i * unit.stride));
  unit.data.set(normalized(unit.data, unit.stride));
  return {
    n: 4,
    nClusters: 2,
    batches,
    space,
    observed: new Float64Array(2 * batches.levels.length / variables),
    sigma: 0.5,
    turn: () => Promise.resolve(),
  };
}

/** Centroids along the axes, padded to a stride of four. */
const AXES = new Float64Array([1, 0, 0, 0, 0, 1, 0, 0]);

/** A row of a matrix without its padding. */
function row(state: Clustering, name: "unit" | "assignment", i: number): Float64Array {
  const { data, stride, width } = state.space.matrices[name];
  return data.subarray(i * stride, i * stride + width);
}

Deno.test("assignAll() shares each cell out, counts batches by cluster and sums", async () => {
  const state = clusters(1);
  const entropy = await assignAll(state, AXES);
  let wanted = 0;
  for (let i = 0; i < 4; i++) {
    const [x, y] = row(state, "unit", i);
    const first = 1 / (1 + Math.exp(2 * (y! - x!) / 0.5)); // softmax of -2 (1 - cos) / σ
    assertClose(row(state, "assignment", i), [first, 1 - first], 1e-12);
    wanted += first * Math.log(first) + (1 - first) * Math.log(1 - first);
  }
  assertClose([entropy], [wanted], 1e-12);
  assertClose([state.observed[0]! + state.observed[1]!], [2], 1e-12); // cells of the first batch
  const { sums } = state.space.matrices, before = sums.data.slice();
  await sumClusters(state);
  assertClose(sums.data, [...before], 1e-12);
});

Deno.test("updateAssignment() with theta gives clusters the batch that they lack", async () => {
  const shares: number[] = [];
  for (const theta of [0, 4]) {
    const state = clusters(theta);
    await assignAll(state, AXES);
    const random = new RandomStream(0, 7);
    await updateAssignment(state, AXES, { random, blockSize: 0.25 });
    shares.push(state.observed[2]! / (state.observed[0]! + state.observed[2]!));
    const counted = [0, 0, 0, 0];
    state.batches.group.forEach((group, i) => {
      row(state, "assignment", i).forEach((share, k) => counted[2 * group + k]! += share);
    });
    assertClose(state.observed, counted, 1e-12);
  }
  assert.ok(shares[0]! < 0.35 && shares[1]! > shares[0]! + 0.02, `${shares}`);
});

for (const variables of [1, 2]) {
  Deno.test(`objectiveOf() is the sum of its definition for ${variables} variables`, async () => {
    const state = clusters(2, variables);
    const entropy = await assignAll(state, AXES);
    const { group, levels, shares } = state.batches;
    let wanted = 0;
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 2; k++) {
        const share = row(state, "assignment", i)[k]!;
        wanted += share * 2 * (1 - row(state, "unit", i)[k]!) + 0.5 * share * Math.log(share);
        for (const b of levels.subarray(group[i]! * variables, (group[i]! + 1) * variables)) {
          const [all, seen] = counts(state, k, b);
          wanted += 0.5 * 2 * share * Math.log((seen + 1) / (all * shares[b]! + 1));
        }
      }
    }
    assertClose([objectiveOf(state, AXES, entropy)], [wanted], 1e-12);
  });
}

/** Cells of a cluster: all, and those of a batch. */
function counts(state: Clustering, k: number, batch: number): [number, number] {
  const { group, levels, nVariables } = state.batches;
  let all = 0, seen = 0;
  group.forEach((own, i) => {
    const share = row(state, "assignment", i)[k]!;
    all += share;
    if (levels.subarray(own * nVariables, (own + 1) * nVariables).includes(batch)) seen += share;
  });
  return [all, seen];
}

Deno.test("normalized() leaves a row of zeros", () => {
  assertClose(normalized(new Float64Array([3, 4, 0, 0]), 2), [0.6, 0.8, 0, 0], 1e-15);
});
