/** How well values agree with those that were hidden, beside what chance and a gene's mean would give. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";

/** Values of genes of cells and the truth; cell c owns those at `indptr[c] .. indptr[c + 1]`. */
export interface HeldOutValues {
  /** First value of each cell and the end, [cells + 1]. */
  readonly indptr: Uint32Array;
  /** Gene of each value. */
  readonly indices: Uint32Array;
  /** Values. */
  readonly values: Float32Array;
  /** What they should be. */
  readonly truth: Float32Array;
  /** Step, from 1, in which each value was fixed. */
  readonly step: Uint8Array;
}

/** Agreement of the values of one step with the truth. */
export interface StepScores {
  /** Step, from 1. */
  readonly step: number;
  /** Number of values. */
  readonly values: number;
  /** Pearson correlation with the truth; null where either does not vary. */
  readonly pearson: number | null;
  /** Mean absolute difference from the truth. */
  readonly meanAbsoluteError: number;
}

/** What {@linkcode heldOutScores} finds. */
export interface HeldOutScores extends Omit<StepScores, "step"> {
  /** Correlation with the truth of other genes of the same cell: near 0. */
  readonly pearsonShuffledGenes: number | null;
  /** Correlation with the truth of the same gene in other cells: what is known of genes and not of cells. */
  readonly pearsonShuffledCells: number | null;
  /** The same scores by step. */
  readonly steps: readonly StepScores[];
}

/**
 * Compares values with those that were hidden, over all pairs of cell and gene, and with the truth shuffled in two ways as controls.
 *
 * @param held Values and truth
 * @param options `seed` of the shuffles
 */
export function heldOutScores(
  held: HeldOutValues,
  { seed }: { readonly seed: number },
): HeldOutScores {
  const { values, truth, step, indptr, indices } = held;
  const all = Uint32Array.from(values.keys());
  const cellOf = new Uint32Array(values.length);
  for (let cell = 0; cell + 1 < indptr.length; cell++) {
    cellOf.fill(cell, indptr[cell], indptr[cell + 1]);
  }
  const control = (groups: Uint32Array, draws: number) =>
    correlation(
      values,
      shuffledWithin(truth, groups, new RandomStream(seed, STREAM.solver, [6, draws])),
    );
  const last = step.reduce((most, one) => Math.max(most, one), 0);
  const steps = Array.from({ length: last }, (_, at) => {
    const own = all.filter((i) => step[i] === at + 1);
    const pick = (from: Float32Array) => Float32Array.from(own, (i) => from[i]!);
    return { step: at + 1, ...agreement(pick(values), pick(truth)) };
  });
  return {
    ...agreement(values, truth),
    pearsonShuffledGenes: control(cellOf, 0),
    pearsonShuffledCells: control(indices, 1),
    steps,
  };
}

function agreement(values: Float32Array, truth: Float32Array): Omit<StepScores, "step"> {
  let error = 0;
  for (let i = 0; i < values.length; i++) error += Math.abs(values[i]! - truth[i]!);
  return {
    values: values.length,
    pearson: correlation(values, truth),
    meanAbsoluteError: error / Math.max(1, values.length),
  };
}

/** Pearson's correlation; null where either does not vary. */
function correlation(a: Float32Array, b: Float32Array): number | null {
  const mean = (x: Float32Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const meanA = mean(a), meanB = mean(b);
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = a[i]! - meanA, db = b[i]! - meanB;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}

/** The values in a random order among those of the same group. */
function shuffledWithin(
  values: Float32Array,
  groups: Uint32Array,
  random: RandomStream,
): Float32Array<ArrayBuffer> {
  const members = new Map<number, number[]>();
  groups.forEach((group, i) => {
    const own = members.get(group);
    if (own === undefined) members.set(group, [i]);
    else own.push(i);
  });
  const shuffled = Float32Array.from(values);
  for (const places of members.values()) {
    for (let last = places.length - 1; last > 0; last--) {
      const a = places[last]!, b = places[random.below(last + 1)]!;
      [shuffled[a], shuffled[b]] = [shuffled[b]!, shuffled[a]!];
    }
  }
  return shuffled;
}
