/** The error of a metric that has no value for the given cells. */

/** A metric that is not defined for these cells: one batch, one label, too few cells. */
export class UndefinedMetricError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "UndefinedMetricError";
  /** Why there is no value, such as "there must be 2 labels or more: got 1". */
  readonly reason: string;

  /** Makes the error; `act` is what cannot be done, such as "compute cLISI". */
  constructor(act: string, reason: string) {
    super(`Cannot ${act} as ${reason}`);
    this.name = "UndefinedMetricError";
    this.reason = reason;
  }
}
