/** What the statistics of genes are computed from: sparse rows that can be streamed. */

/** Consecutive rows as sparse rows; what `data` yields as `CsrRows` fits as it is. */
export interface ExpressionRows {
  /** Row of the source that row 0 is. */
  readonly start: number;
  /** Number of rows. */
  readonly nRows: number;
  /** Bounds of the rows in `indices` and `data`. [nRows + 1] */
  readonly indptr: Uint32Array;
  /** Columns of the stored values. */
  readonly indices: Uint32Array;
  /** The stored values. */
  readonly data: Float32Array | Float64Array;
}

/** What gives the same rows whenever it is asked: a `Matrix`, or rows in memory. */
export interface RowSource {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** Streams all rows. */
  rows(options?: { readonly signal?: AbortSignal }): AsyncIterable<ExpressionRows>;
}

/** The options that a source reads. */
export function readOptions(
  { signal }: { readonly signal?: AbortSignal | undefined },
): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
