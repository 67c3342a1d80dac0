/** Results of methods over seeds. */
import type { FitEpoch } from "../../lib/mod.ts";
import type { LossPoint, LossRun } from "../plots/losses.ts";

/** What one method gave, once or once for each seed. */
export interface MethodResults<R> {
  /** Name of the method. */
  readonly method: string;
  /** Results in the order of the seeds. */
  readonly results: readonly R[];
  /** Wall time of learning and predicting, for each of them. */
  readonly seconds: readonly number[];
}

/** A training, or another long work of one seed, goes on. */
export interface EvaluationTraining<E> {
  /** Tells events apart. */
  readonly kind: "training";
  /** Seed. */
  readonly seed: number;
  /** What happened. */
  readonly event: E;
}

/** A method has a result. */
export interface MethodEvaluated<R> {
  /** Tells events apart. */
  readonly kind: "method";
  /** Name of the method. */
  readonly method: string;
  /** Its seed; null for a baseline, which has one result. */
  readonly seed: number | null;
  /** Scores. */
  readonly result: R;
  /** Wall time of learning and predicting. */
  readonly seconds: number;
}

/** Name of a model that was trained for the task, in tables. */
export const TRAINED_METHOD = "scGPT, trained";
/** Name of the mean of several such models, which differ in their seed. */
export const ENSEMBLE_METHOD = "scGPT, mean of all seeds";
/** Name of the same model before any training. */
export const RANDOM_METHOD = "scGPT, random weights";

/** Gathers results by method, in the order in which methods come. */
export class ResultTable<R> {
  readonly #rows = new Map<string, { results: R[]; seconds: number[] }>();

  /** Adds a result, and gives it back. */
  add(evaluated: MethodEvaluated<R>): MethodEvaluated<R> {
    const { method, result, seconds } = evaluated;
    const row = this.#rows.get(method) ?? { results: [], seconds: [] };
    row.results.push(result);
    row.seconds.push(seconds);
    this.#rows.set(method, row);
    return evaluated;
  }

  /** All that was added. */
  rows(): MethodResults<R>[] {
    return [...this.#rows].map(([method, row]) => ({ method, ...row }));
  }
}

/**
 * Total losses over the epochs of a run, as `lossPlot` draws them.
 *
 * @example
 * ```ts
 * import { lossCurves } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const epoch = { epoch: 0, train: { cls: 2, loss: 2 }, validation: undefined };
 * assert.deepEqual(lossCurves([epoch]), { train: [{ at: 1, loss: 2 }], validation: [] });
 * ```
 *
 * @param epochs Events of the kind "epoch"
 * @returns Losses by number of epochs done
 */
export function lossCurves(
  epochs: readonly Pick<FitEpoch, "epoch" | "train" | "validation">[],
): LossRun {
  const points = (side: "train" | "validation"): LossPoint[] =>
    epochs.flatMap((epoch) => {
      const loss = epoch[side]?.["loss"];
      return loss === undefined ? [] : [{ at: epoch.epoch + 1, loss }];
    });
  return { train: points("train"), validation: points("validation") };
}

/**
 * Checks the seeds of an evaluation.
 *
 * @throws {RangeError} When there is none, or one stands twice
 */
export function checkSeeds(seeds: readonly number[]): void {
  const twice = seeds.find((seed, at) => seeds.indexOf(seed) !== at);
  if (seeds.length > 0 && twice === undefined) return;
  throw new RangeError(
    `Cannot evaluate as there must be seeds, each once: got ${twice ?? "none"}${
      twice === undefined ? "" : " twice"
    }`,
  );
}
