/** Labels of query cells from the labels of their neighbours. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Neighbors } from "./knn.ts";
import { type Prediction, UNKNOWN } from "./prediction.ts";

/** Settings of {@linkcode vote}. */
export interface VoteOptions {
  /** `uniform` (default): one vote a neighbour. `distance`: votes weigh 1/distance; where distances are 0, those alone vote. */
  readonly weights?: "uniform" | "distance";
  /** Cells whose best label has a smaller share of the votes are rejected; 0 by default. */
  readonly minConfidence?: number;
  /** Cells whose mean distance to their neighbours is larger are rejected; none by default. See {@linkcode distanceQuantile}. */
  readonly maxDistance?: number;
  /** Label of rejected cells; "unknown" by default. */
  readonly unknown?: string;
}

/**
 * Names each query cell by a vote of its neighbours. Among labels with equal votes the one whose neighbours are nearer on average wins, then
 * the first in code-unit order.
 *
 * Reference: the paper's reference mapping takes the majority of 10 neighbours; weights as scikit-learn `KNeighborsClassifier`.
 *
 * @example
 * ```ts
 * import { vote } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const neighbors = {
 *   k: 3,
 *   indices: new Uint32Array([0, 1, 2]),
 *   distances: new Float32Array([1, 2, 2]),
 * };
 * const { labels, confidence } = vote(neighbors, ["B", "T", "T"]);
 * assert.deepEqual(labels, ["T"]);
 * assert.ok(Math.abs(confidence[0]! - 2 / 3) < 1e-6);
 * ```
 *
 * @param neighbors Neighbours of m cells
 * @param labels Labels of the reference rows [n]
 * @param options Settings
 * @returns Labels and the winner's share of the votes [m]
 * @throws {RangeError} When a neighbour has no label, or a setting is out of range
 */
export function vote(
  neighbors: Neighbors,
  labels: readonly string[],
  options: VoteOptions = {},
): Prediction {
  refuseUnknownKeys(options, ["weights", "minConfidence", "maxDistance", "unknown"], "vote");
  const { weights = "uniform", minConfidence = 0, maxDistance = Infinity, unknown = UNKNOWN } =
    options;
  checkVote({ weights, minConfidence, maxDistance });
  const { k, indices, distances } = neighbors;
  const cells = indices.length / k;
  const named: string[] = [];
  const confidence = new Float32Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    const near = distances.subarray(cell * k, (cell + 1) * k);
    const ballots = weights === "uniform" ? near.map(() => 1) : inverse(near);
    const voters = Array.from(
      indices.subarray(cell * k, (cell + 1) * k),
      (row) => labelOf(labels, row),
    );
    const winner = winnerOf(voters, ballots, near);
    confidence[cell] = winner.share;
    const far = meanOf(near) > maxDistance;
    named.push(far || winner.share < minConfidence ? unknown : winner.label);
  }
  return { labels: named, confidence };
}

/**
 * The distance below which a share `q` of cells lies: a threshold for `maxDistance`, from the reference's own neighbours (without
 * the cells themselves).
 *
 * @param neighbors Neighbours of m cells
 * @param q Share in 0..1; linear between two cells, as numpy `quantile`
 * @returns Quantile of the cells' mean distances
 * @throws {RangeError} When `q` is out of range, or there are no cells
 */
export function distanceQuantile({ k, distances }: Neighbors, q: number): number {
  const means = new Float64Array(distances.length / k);
  if (!(q >= 0 && q <= 1) || means.length === 0) {
    throw new RangeError(
      `Cannot take a quantile as it needs cells and a share in 0..1: got ${q} of ${means.length} cells`,
    );
  }
  for (let cell = 0; cell < means.length; cell++) {
    means[cell] = meanOf(distances.subarray(cell * k, (cell + 1) * k));
  }
  means.sort();
  const at = q * (means.length - 1);
  const low = means[Math.floor(at)]!, high = means[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

function checkVote(
  { weights, minConfidence, maxDistance }: {
    weights: string;
    minConfidence: number;
    maxDistance: number;
  },
): void {
  if (weights !== "uniform" && weights !== "distance") {
    throw new RangeError(
      `Cannot vote as weights must be "uniform" or "distance": got "${weights}"`,
    );
  }
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw new RangeError(`Cannot vote as minConfidence must be in 0..1: got ${minConfidence}`);
  }
  if (!(maxDistance >= 0)) {
    throw new RangeError(`Cannot vote as maxDistance must be >= 0: got ${maxDistance}`);
  }
}

function labelOf(labels: readonly string[], row: number): string {
  const label = labels[row];
  if (label === undefined) {
    throw new RangeError(
      `Cannot vote as each neighbour needs a label: got row ${row} of ${labels.length} labels`,
    );
  }
  return label;
}

/** 1/distance; where some distances are 0, those count 1 and the others nothing. */
function inverse(distances: Float32Array): Float32Array {
  const same = distances.some((distance) => distance === 0);
  return distances.map((distance) => same ? Number(distance === 0) : 1 / distance);
}

function winnerOf(
  voters: readonly string[],
  ballots: Float32Array,
  distances: Float32Array,
): { label: string; share: number } {
  const tally = new Map<string, { votes: number; voters: number; distance: number }>();
  let total = 0;
  voters.forEach((label, rank) => {
    const sum = tally.get(label) ?? { votes: 0, voters: 0, distance: 0 };
    sum.votes += ballots[rank]!;
    sum.voters += 1;
    sum.distance += distances[rank]!;
    total += ballots[rank]!;
    tally.set(label, sum);
  });
  const [label, { votes }] = [...tally].sort(([nameA, a], [nameB, b]) =>
    b.votes - a.votes || a.distance / a.voters - b.distance / b.voters || (nameA < nameB ? -1 : 1)
  )[0]!;
  return { label, share: votes / total };
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
