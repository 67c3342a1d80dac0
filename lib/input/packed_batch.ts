/** The form in which cells enter the model: their tokens one after another, without pads. */

/** Tokens of B cells; cell b owns the tokens `offsets[b] .. offsets[b + 1]`. */
export interface PackedBatch {
  /** Vocabulary id of each token. [T] */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Value of each token: bins, or what the binning mode says. [T] */
  readonly values: Float32Array<ArrayBuffer>;
  /** First token of each cell, and the end of the last. [B+1] */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Row of each cell in the AnnData. [B] */
  readonly cells: Uint32Array<ArrayBuffer>;
}
