/** Expression of an AnnData in memory, as the baselines take it. */
import type { AnnData } from "../../data/mod.ts";
import { expressionOf } from "../../lib/mod.ts";
import type { QueryCells } from "./cells.ts";

/**
 * Reads all rows of X, raw or a layer. Baselines are for data that fit into memory; the model's own path streams.
 *
 * @param adata Cells
 * @param layer "X" (default), "raw", or a layer
 * @returns Sparse rows and gene names
 * @throws {RangeError} When there is no such matrix
 */
export async function readCells(adata: AnnData, layer = "X"): Promise<QueryCells> {
  const { matrix, var: { index: varNames } } = await expressionOf(adata, layer);
  const indptr = [0];
  const indices: Uint32Array[] = [], data: Float32Array[] = [];
  for await (const piece of matrix.rows()) {
    const before = indptr.at(-1)!;
    for (let row = 1; row <= piece.nRows; row++) indptr.push(before + piece.indptr[row]!);
    indices.push(piece.indices.slice());
    data.push(Float32Array.from(piece.data));
  }
  const [nRows, nCols] = matrix.shape;
  const total = indptr.at(-1)!;
  return {
    X: {
      nRows,
      nCols,
      indptr: Uint32Array.from(indptr),
      indices: join(indices, new Uint32Array(total)),
      data: join(data, new Float32Array(total)),
    },
    varNames,
  };
}

function join<A extends Uint32Array | Float32Array>(parts: readonly A[], whole: A): A {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
