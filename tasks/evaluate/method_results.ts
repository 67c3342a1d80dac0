/** Results of methods over seeds. */
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

/** Gathers results by method, in the order in which methods come. */
export class ResultTable<R> {
  readonly #rows = new Map<string, { results: R[]; seconds: number[] }>();

  /** Adds a result. */
  add(method: string, result: R, seconds: number): void {
    const row = this.#rows.get(method) ?? { results: [], seconds: [] };
    row.results.push(result);
    row.seconds.push(seconds);
    this.#rows.set(method, row);
  }

  /** All that was added. */
  rows(): MethodResults<R>[] {
    return [...this.#rows].map(([method, row]) => ({ method, ...row }));
  }
}

/** An epoch as {@linkcode lossCurves} needs it. */
interface EpochLosses {
  readonly epoch: number;
  readonly train: Readonly<Record<string, number>>;
  readonly validation: Readonly<Record<string, number>> | undefined;
}

/** Total losses over the epochs of a run. */
export function lossCurves(epochs: readonly EpochLosses[]): LossRun {
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
