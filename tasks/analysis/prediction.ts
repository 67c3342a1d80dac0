/** What every method that names cell types gives back. */

/** Label of a cell that a method declines to name. */
export const UNKNOWN = "unknown";

/** One label for each cell. */
export interface Prediction {
  /** Predicted labels [m]; {@linkcode UNKNOWN} where the cell was rejected. */
  readonly labels: readonly string[];
  /** How sure the method is of the best label [m], in 0..1: a vote share or a probability. */
  readonly confidence: Float32Array<ArrayBuffer>;
}
