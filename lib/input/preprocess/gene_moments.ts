/** Means and variances of genes in one pass over the cells, for all cells or for each batch of them. */
import { type ExpressionRows, readOptions, type RowSource } from "./row_source.ts";

/** Batches of cells. */
export interface Batches {
  /** Names in code-unit order; one batch without a name where there are none. */
  readonly names: readonly string[];
  /** Batch of each row. [n] */
  readonly codes: Uint32Array;
}

/** Moments of all genes over the cells of one batch. */
export interface GeneMoments {
  /** Number of cells. */
  readonly n: number;
  /** Means. [genes] */
  readonly means: Float64Array<ArrayBuffer>;
  /** Variances with n - 1 below; 0 for a single cell. [genes] */
  readonly variances: Float64Array<ArrayBuffer>;
}

/** Sums over the cells of one batch, from which the moments follow. */
export interface GeneSums {
  /** Number of cells. */
  readonly n: number;
  /** Sums of values. [genes] */
  readonly sums: Float64Array<ArrayBuffer>;
  /** Sums of squares. [genes] */
  readonly squares: Float64Array<ArrayBuffer>;
}

/** How values are taken before they are summed. */
export interface SumsOptions {
  /** Applied to each stored value; must keep zero. */
  readonly transform?: (value: number) => number;
  /** Whether values must be whole numbers. */
  readonly integers?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Numbers the batches of cells.
 *
 * @param labels Batch of each cell; one batch holds all cells when undefined
 * @param nRows Number of cells
 * @returns Names and codes
 * @throws {RangeError} When labels are missing, or their number is another
 */
export function batchesOf(
  labels: readonly (string | null)[] | undefined,
  nRows: number,
): Batches {
  if (labels === undefined) return { names: [""], codes: new Uint32Array(nRows) };
  const missing = labels.length === nRows ? labels.indexOf(null) : Math.min(labels.length, nRows);
  if (missing >= 0) {
    throw new RangeError(
      `Cannot choose genes by batch as each of ${nRows} cells needs a batch: got ${labels.length} labels, none for cell ${missing}`,
    );
  }
  const names = [...new Set(labels as readonly string[])].sort();
  const codes = new Map(names.map((name, code) => [name, code]));
  return {
    names,
    codes: Uint32Array.from(labels as readonly string[], (name) => codes.get(name)!),
  };
}

/**
 * Sums values and squares of genes in each batch of cells, in float64, which is exact for counts.
 *
 * @param source Cells
 * @param batches Batch of each cell
 * @param options Transform and checks of the values
 * @returns Sums of each batch
 * @throws {RangeError} For a negative or non-finite value, or where `integers` is set a broken one
 */
export async function geneSums(
  source: RowSource,
  batches: Batches,
  options: SumsOptions = {},
): Promise<GeneSums[]> {
  const { transform = (value) => value, integers = false } = options;
  const n = batches.names.map(() => 0);
  const sums = n.map(() => new Float64Array(source.shape[1]));
  const squares = n.map(() => new Float64Array(source.shape[1]));
  for await (const rows of source.rows(readOptions(options))) {
    checkExpression(rows, integers);
    const { start, nRows, indptr, indices, data } = rows;
    for (let row = 0; row < nRows; row++) {
      const batch = batches.codes[start + row]!;
      const sum = sums[batch]!, square = squares[batch]!;
      n[batch]! += 1;
      for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
        const value = transform(data[at]!), gene = indices[at]!;
        sum[gene]! += value;
        square[gene]! += value * value;
      }
    }
  }
  return n.map((cells, batch) => ({ n: cells, sums: sums[batch]!, squares: squares[batch]! }));
}

/** Sums over all batches. */
export function addSums(batches: readonly GeneSums[]): GeneSums {
  const add = (key: "sums" | "squares") =>
    batches[0]![key].map((_, gene) => batches.reduce((sum, one) => sum + one[key][gene]!, 0));
  return {
    n: batches.reduce((sum, { n }) => sum + n, 0),
    sums: add("sums"),
    squares: add("squares"),
  };
}

/** Means and variances of sums. Reference: `_get_mean_var` of scanpy. */
export function momentsOf({ n, sums, squares }: GeneSums): GeneMoments {
  const means = sums.map((sum) => sum / n);
  const variances = squares.map((square, gene) =>
    n > 1 ? (square / n - means[gene]! ** 2) * (n / (n - 1)) : 0
  );
  return { n, means, variances };
}

/** Refuses what no counts, or no logarithms of them, can be. */
function checkExpression({ start, indptr, indices, data }: ExpressionRows, integers: boolean) {
  const isBad = (value: number) =>
    !(value >= 0 && value < Infinity) || (integers && value !== Math.floor(value));
  const at = data.findIndex(isBad);
  if (at < 0) return;
  const row = start + indptr.findLastIndex((bound) => bound <= at);
  const rule = integers
    ? "be counts, whole and >= 0; take a layer of counts, another flavor, or checkValues: false"
    : "be finite and >= 0";
  throw new RangeError(
    `Cannot choose genes as values must ${rule}: got ${data[at]} in row ${row}, column ${
      indices[at]
    }`,
  );
}
