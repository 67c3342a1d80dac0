/** The reference's preprocessing as views: nothing but statistics of genes and cells is computed before the cells are read. */
import type { AnnData, Matrix } from "../../../data/mod.ts";
import { refuseUnknownKeys } from "../../options.ts";
import { inspectValues, type ValueKind } from "../counts.ts";
import { filterCells, filterGenes } from "./filter.ts";
import { batchesOf } from "./gene_moments.ts";
import {
  type HighlyVariableGenes,
  highlyVariableGenes,
  type HighlyVariableOptions,
} from "./highly_variable.ts";
import { mapRows } from "./mapped_matrix.ts";
import { log1p, medianTotal, normalizeTotal } from "./normalize.ts";

/** Steps of the preprocessing, in the order in which they are taken. */
export interface PreprocessOptions {
  /** Matrix to prepare and to filter by: "X" (default) or a layer. The reference filters by X always. */
  readonly layer?: string;
  /** Least counts of a gene that stays; no filter unless told. */
  readonly minGeneCounts?: number;
  /** Least counts of a cell that stays, over the genes that stayed; no filter unless told. */
  readonly minCellCounts?: number;
  /** Sum of each cell in the layer `X_normed`: 10,000 unless told; "median": that of the totals; false: no such layer. */
  readonly normalizeTotal?: number | "median" | false;
  /** Whether the logarithm is made, as layer `X_log1p`; default false as in the reference's code (its documentation says true). */
  readonly log1p?: boolean;
  /** Which variable genes stay; all genes unless told. */
  readonly hvg?: Omit<HighlyVariableOptions, "signal" | "batch"> & {
    /** "X", a layer, or one of those made; default `layer`. */
    readonly layer?: string;
    /** Batch of each cell of `adata`, before any is left out. */
    readonly batch?: readonly (string | null)[];
  };
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** Prepared cells. */
export interface Preprocessed {
  /** The cells and genes that stayed: a view, with the layers made and, where genes were chosen, scanpy's columns in `var`. */
  readonly adata: AnnData;
  /** The last matrix made, whose values are to be binned: "X_log1p", "X_normed", or the `layer` given. */
  readonly layer: string;
  /** What the values seemed to be before. */
  readonly kind: ValueKind;
  /** Rows that stayed, ascending. */
  readonly cells: Uint32Array<ArrayBuffer>;
  /** Columns that stayed, ascending. */
  readonly genes: Uint32Array<ArrayBuffer>;
  /** Variable genes among those that the filter left. */
  readonly hvg?: HighlyVariableGenes;
}

const OPTIONS = [
  "layer",
  "minGeneCounts",
  "minCellCounts",
  "normalizeTotal",
  "log1p",
  "hvg",
  "signal",
];

/**
 * Prepares cells as the reference does: leaves out genes, then cells, with few counts, normalises, takes logarithms, and keeps
 * variable genes. The layers made are computed when they are read, each from its own values: in the reference `X_normed` becomes
 * `X_log1p` too, as both share memory. Bins depend on ranks within a cell, which neither layer changes.
 * Reference: `Preprocessor` in scgpt/preprocess.py; paper: Methods, "Data preprocessing".
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { preprocess } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const adata = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(1, 0, 3, 4, 0, 4), [2, 3]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }),
 *   var: new DataFrame({ index: ["ACTB", "CD3D", "CD8A"] }),
 * });
 * const { adata: kept, layer } = await preprocess(adata, { minGeneCounts: 1, normalizeTotal: 8 });
 * assert.deepEqual(kept.varNames, ["ACTB", "CD8A"]);
 * assert.deepEqual([...await (await kept.matrix(layer)).dense()], [2, 6, 4, 4]);
 * ```
 *
 * @param adata Cells
 * @param options Steps
 * @returns Views to train on: `loadBatches(result.adata, { layer: result.layer, … })`
 * @throws {TypeError} For an unknown option
 * @throws {RangeError} For a layer that is not there, an option out of range, values no step can take, or a logarithm of logarithms
 */
export async function preprocess(
  adata: AnnData,
  options: PreprocessOptions = {},
): Promise<Preprocessed> {
  refuseUnknownKeys(options, OPTIONS, "preprocess");
  const { layer = "X", signal } = options;
  const matrix = await matrixOf(adata, layer);
  const names = { matrix: layer, obsNames: adata.obsNames, varNames: adata.varNames };
  const { kind } = await inspectValues(matrix, names, signal === undefined ? {} : { signal });
  if (options.log1p && kind === "logged") {
    throw new RangeError(
      `Cannot preprocess as log1p must not be taken of logarithms: ${layer} seems to hold them; leave out log1p`,
    );
  }
  const { cells, genes } = await filtered(matrix, options);
  const filteredData = select(adata, cells, genes);
  const made = await withLayers(filteredData, options);
  const base = { layer: made.layer, kind, cells };
  if (options.hvg === undefined) return { ...base, adata: made.adata, genes };
  const { layer: hvgLayer = layer, batch, ...hvgOptions } = options.hvg;
  const hvg = await highlyVariableGenes(await matrixOf(made.adata, hvgLayer), {
    ...hvgOptions,
    ...batch && { batch: batchOf(batch, adata.nObs, cells) },
    ...signal && { signal },
  });
  return {
    ...base,
    hvg,
    adata: withTable(made.adata, hvg).select({ var: hvg.columns }),
    genes: hvg.columns.map((column) => genes[column]!),
  };
}

/** Batches of the cells that stayed. */
function batchOf(
  labels: readonly (string | null)[],
  nObs: number,
  cells: Uint32Array,
): readonly string[] {
  const { names, codes } = batchesOf(labels, nObs);
  return Array.from(cells, (cell) => names[codes[cell]!]!);
}

function matrixOf(adata: AnnData, layer: string): Promise<Matrix> {
  return adata.matrix(layer === "X" ? undefined : layer);
}

async function filtered(
  matrix: Matrix,
  { minGeneCounts, minCellCounts, signal }: PreprocessOptions,
): Promise<Pick<Preprocessed, "cells" | "genes">> {
  const all = (count: number) => Uint32Array.from({ length: count }, (_, place) => place);
  const genes = minGeneCounts === undefined
    ? all(matrix.shape[1])
    : await filterGenes(matrix, { minCounts: minGeneCounts, signal });
  const cells = minCellCounts === undefined
    ? all(matrix.shape[0])
    : await filterCells(matrix, { minCounts: minCellCounts, genes, signal });
  return { cells, genes };
}

/** A view only where something is left out, as whole matrices are read fastest. */
function select(adata: AnnData, cells: Uint32Array, genes: Uint32Array): AnnData {
  return adata.select({
    ...cells.length < adata.nObs && { obs: cells },
    ...genes.length < adata.nVars && { var: genes },
  });
}

/** Adds the layers that are asked for, and names the last. */
async function withLayers(
  adata: AnnData,
  options: PreprocessOptions,
): Promise<Pick<Preprocessed, "adata" | "layer">> {
  let layer = options.layer ?? "X";
  let matrix = await matrixOf(adata, layer);
  const layers: Record<string, Matrix> = {};
  const add = (name: string, made: Matrix) => layers[layer = name] = matrix = made;
  const { normalizeTotal: target = 1e4, signal } = options;
  if (target !== false) {
    const targetSum = target === "median" ? await medianTotal(matrix, { signal }) : target;
    add("X_normed", mapRows(matrix, (rows) => normalizeTotal(rows, { targetSum })));
  }
  if (options.log1p) add("X_log1p", mapRows(matrix, log1p));
  return { adata: adata.with({ layers }), layer };
}

function withTable(adata: AnnData, { table }: HighlyVariableGenes): AnnData {
  let frame = adata.var;
  for (const [name, column] of Object.entries(table)) frame = frame.with(name, column);
  return adata.with({ var: frame });
}
