/** Chooses the matrix of an AnnData that cells are read from. */
import type { AnnData, DataFrame, Matrix } from "../../data/mod.ts";

/** A matrix of expression values and the genes of its columns. */
export interface Expression {
  /** Values, [cells, genes]. */
  readonly matrix: Matrix;
  /** Genes of the columns. */
  readonly var: DataFrame;
  /** Name for messages. */
  readonly name: string;
}

/**
 * The matrix that a name stands for.
 *
 * @param adata Cells
 * @param layer "X", "raw" (with genes of its own), or the name of a layer
 * @returns Matrix, genes and name
 * @throws {RangeError} When there is no such matrix, listing those there are
 */
export async function expressionOf(adata: AnnData, layer: string): Promise<Expression> {
  if (layer === "raw" && adata.raw !== undefined) {
    return { matrix: adata.raw.X, var: adata.raw.var, name: "raw" };
  }
  if (layer === "X" && adata.X !== undefined) return { matrix: adata.X, var: adata.var, name: "X" };
  if (adata.layers.has(layer)) {
    return { matrix: await adata.layers.need(layer), var: adata.var, name: `layer ${layer}` };
  }
  const there = [adata.X && "X", adata.raw && "raw", ...adata.layers.keys()].filter(Boolean);
  throw new RangeError(
    `Cannot read expression values as the layer must be one of ${
      there.join(", ") || "(none is there)"
    }: got "${layer}"`,
  );
}
