/** What can go wrong while a model learns. */

/** A loss that is no number: training cannot go on. Holds where the last good state lies. */
export class TrainingError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "TrainingError";
  /** Step whose loss is no number. */
  readonly step: number;
  /** Losses of that step by objective. */
  readonly losses: Readonly<Record<string, number>>;
  /** Where the last good state was saved, if it was. */
  readonly checkpoint: string | undefined;

  /** Makes the error of a step. */
  constructor(
    step: number,
    losses: Readonly<Record<string, number>>,
    checkpoint: string | undefined,
  ) {
    const named = Object.entries(losses).map(([name, loss]) => `${name} ${loss}`).join(", ");
    const advice = checkpoint === undefined
      ? "no checkpoint was saved before"
      : `the last good state is ${checkpoint}`;
    super(
      `Cannot go on training as the losses of a step must be finite: got ${named} at step ${step}; ${advice}. ` +
        "Try a smaller learning rate, or gradient clipping (maxNorm)",
    );
    this.name = "TrainingError";
    this.step = step;
    this.losses = losses;
    this.checkpoint = checkpoint;
  }
}
