/** What a baseline is given, and the preparation that all of them share. */
import { isCounts, logNormalize } from "../analysis/log_normalize.ts";
import { checkRows, selectColumns, type SparseRows } from "../analysis/rows.ts";
import { variableGenes } from "../analysis/variable_genes.ts";

/** Cells whose labels are to be predicted. */
export interface QueryCells {
  /** Counts, or log-normalised values, over all measured genes [cells, genes]. */
  readonly X: SparseRows;
  /** Gene names [genes]. */
  readonly varNames: readonly string[];
}

/** Cells with known labels. */
export interface LabelledCells extends QueryCells {
  /** Labels [cells]. */
  readonly labels: readonly string[];
}

/** Genes that a baseline sees. */
export interface GeneChoice {
  /** Variable genes of the reference to take, by `seurat_v3` on counts and else by variance; 2,000 by default. */
  readonly nGenes?: number | undefined;
  /** Names to take instead; those that a side lacks are left out. */
  readonly genes?: readonly string[] | undefined;
}

/** Reference and query in the same columns. */
export interface AlignedCells {
  /** Log-normalised reference [cells, genes]. */
  readonly reference: SparseRows;
  /** Log-normalised query [cells, genes]. */
  readonly query: SparseRows;
  /** Names of the columns. */
  readonly genes: readonly string[];
}

/**
 * Log-normalises both sides over all their genes when they are counts (other values are taken as they are), and keeps the `nGenes`
 * most variable genes of the reference among those that both have by name, or the genes that the caller chose. Of a repeated name the
 * first gene counts.
 *
 * @param reference Labelled cells
 * @param query Cells to name
 * @param choice Genes to keep
 * @returns Both sides over the same genes, in the reference's order
 * @throws {RangeError} When labels or names do not fit the values, or no gene is common and varies
 */
export async function alignCells(
  reference: LabelledCells,
  query: QueryCells,
  { nGenes = 2000, genes: chosen }: GeneChoice = {},
): Promise<AlignedCells> {
  checkLabels(reference);
  checkNames("reference", reference);
  checkNames("query", query);
  const placeInQuery = firstPlaces(query.varNames);
  const wanted = chosen === undefined ? undefined : new Set(chosen);
  const common = [...firstPlaces(reference.varNames)].filter(([name]) =>
    placeInQuery.has(name) && (wanted === undefined || wanted.has(name))
  );
  if (common.length === 0) {
    throw new RangeError(
      `Cannot compare cells as reference and query must share the genes' names: got ${
        reference.varNames[0]
      } … and ${query.varNames[0]} …`,
    );
  }
  const shared = selectColumns(reference.X, common.map(([, column]) => column));
  const kept = await variableGenes(shared, chosen?.length ?? nGenes);
  if (kept.length === 0) {
    throw new RangeError(
      `Cannot compare cells as a common gene must vary in the reference: none of ${common.length} does`,
    );
  }
  const genes = Array.from(kept, (place) => common[place]![0]);
  return {
    reference: selectColumns(
      logValues(reference.X),
      Array.from(kept, (place) => common[place]![1]),
    ),
    query: selectColumns(logValues(query.X), genes.map((name) => placeInQuery.get(name)!)),
    genes,
  };
}

/**
 * Refuses a reference without a label for each cell.
 *
 * @param reference Labelled cells
 * @throws {RangeError} When there are no cells, or the number of labels is another
 */
export function checkLabels({ X, labels }: LabelledCells): void {
  if (labels.length === 0 || labels.length !== X.nRows) {
    throw new RangeError(
      `Cannot learn labels as each reference cell needs one: got ${labels.length} for ${X.nRows} cells`,
    );
  }
}

function checkNames(side: string, { X, varNames }: QueryCells): void {
  checkRows(X, `read the ${side} cells`);
  if (varNames.length !== X.nCols) {
    throw new RangeError(
      `Cannot read the ${side} cells as each gene needs a name: got ${varNames.length} for ${X.nCols} genes`,
    );
  }
}

function logValues(rows: SparseRows): SparseRows {
  return isCounts(rows) ? logNormalize(rows) : rows;
}

function firstPlaces(names: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  names.forEach((name, at) => {
    if (!places.has(name)) places.set(name, at);
  });
  return places;
}
