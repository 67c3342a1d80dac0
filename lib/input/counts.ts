/** Looks at expression values before they are used: what kind they are, and whether they can be binned at all. */
import type { CsrRows, Matrix } from "../../data/mod.ts";
import { refuseUnknownKeys } from "../options.ts";

/** Integers; depth-normalised values; logarithms of those. Binning gives the same bins for all three. */
export type ValueKind = "counts" | "normalized" | "logged";

/** What was seen of a matrix. */
export interface ValueSummary {
  /** Kind of the values. */
  readonly kind: ValueKind;
  /** Rows that were looked at. */
  readonly rows: number;
  /** Largest value. */
  readonly max: number;
  /** Smallest value above zero; Infinity when there is none. */
  readonly leastPositive: number;
}

/** Names for messages. */
export interface MatrixNames {
  /** The matrix: "X", "raw" or a layer. */
  readonly matrix: string;
  /** Names of the cells. */
  readonly obsNames: readonly string[];
  /** Names of the genes. */
  readonly varNames: readonly string[];
}

/** Largest value of logarithms; the reference's bound. */
const MAX_LOGGED = 30;

/**
 * Tells counts from normalised and from logged values by the first rows. Integers are counts; otherwise values up to 30 with a
 * positive one below 1 are logged. Reference: `Preprocessor.check_logged`, which knows no counts, in scgpt/preprocess.py.
 *
 * @param matrix Expression, [cells, genes]
 * @param names Names for messages
 * @param options Rows to look at (default 1,000) and abort signal
 * @returns Kind and range
 * @throws {RangeError} For a negative, infinite or NaN value, naming cell and gene
 */
export async function inspectValues(
  matrix: Matrix,
  names: MatrixNames,
  options: { readonly maxRows?: number; readonly signal?: AbortSignal } = {},
): Promise<ValueSummary> {
  refuseUnknownKeys(options, ["maxRows", "signal"], "inspect values");
  const { maxRows = 1000, signal } = options;
  const end = Math.min(maxRows, matrix.shape[0]);
  let max = 0, leastPositive = Infinity, integers = true;
  for await (const rows of matrix.rows({ end, ...(signal === undefined ? {} : { signal }) })) {
    checkValues(rows, names);
    for (const value of rows.data) {
      if (value > max) max = value;
      if (value > 0 && value < leastPositive) leastPositive = value;
      integers &&= Number.isInteger(value);
    }
  }
  const logged = max <= MAX_LOGGED && leastPositive < 1;
  const kind = integers ? "counts" : logged ? "logged" : "normalized";
  return { kind, rows: end, max, leastPositive };
}

/**
 * Refuses values that no count and no monotone transform of a count can be.
 *
 * @param rows Rows of the matrix
 * @param names Names for messages
 * @throws {RangeError} For the first negative, infinite or NaN value, naming cell and gene
 */
export function checkValues(rows: CsrRows, names: MatrixNames): void {
  const { data } = rows;
  for (let at = 0; at < data.length; at++) {
    const value = data[at]!;
    if (!(value >= 0 && value < Infinity)) refuse(rows, at, names);
  }
}

function refuse(rows: CsrRows, at: number, names: MatrixNames): never {
  const value = rows.data[at]!;
  const row = rows.indptr.findLastIndex((start) => start <= at);
  const cell = names.obsNames[rows.start + row], gene = names.varNames[rows.indices[at]!];
  const rule = value < 0 && value > -Infinity ? "be >= 0" : "be finite";
  const advice = value < 0
    ? '; scaled or centred data have lost their ranks against zero: use layer "raw" or a layer of counts'
    : "";
  throw new RangeError(
    `Cannot use ${names.matrix} as expression values must ${rule}: got ${value} in cell ${cell}, gene ${gene}${advice}`,
  );
}
