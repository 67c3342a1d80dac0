/** Annotated data one below the other. */
import { AnnData } from "./anndata.ts";
import { checkOptions } from "./checks.ts";
import {
  stackAxisArrays,
  stackLayers,
  stackObs,
  stackPairs,
  stackRaw,
  stackX,
} from "./concat_cells.ts";
import { genesOf, mergeGenes } from "./concat_genes.ts";
import { type MergeStrategy, mergeUns } from "./concat_merge.ts";

/** How annotated data are put together. */
export interface ConcatOptions {
  /** Genes, columns of obs, layers and obsm that are kept: those of all objects (`inner`, the default), or of any. */
  readonly join?: "inner" | "outer";
  /** Which columns of var, varm and varp are kept; none unless told. */
  readonly merge?: MergeStrategy | null;
  /** Which values of uns are kept, in nested dictionaries too; none unless told. */
  readonly unsMerge?: MergeStrategy | null;
  /** Whether obsp is kept, as blocks along the diagonal of sparse matrices of all cells; false unless told. */
  readonly pairwise?: boolean;
  /** Name of a column of obs that says which object a cell is from; none unless told. */
  readonly label?: string;
  /** Names of the objects; "0", "1", ... unless told, or the keys where the objects are given by name. */
  readonly keys?: readonly string[];
  /** Put between a cell's name and its object's, to make names unique; names stay as they are unless told. */
  readonly indexUnique?: string;
  /** Value where an object lacks a gene; 0 in sparse matrices and NaN in dense ones unless told. */
  readonly fillValue?: number;
}

const STRATEGIES: ReadonlySet<MergeStrategy | null> = new Set([
  ...["same", "unique", "first", "only"] as const,
  null,
]);

/** Refuses options that do not fit, and gives the objects and their names. */
function checkConcat(
  given: readonly AnnData[] | Readonly<Record<string, AnnData>>,
  options: ConcatOptions,
): { adatas: readonly AnnData[]; keys: readonly string[] } {
  checkOptions("concatenate", options, [
    ...["join", "merge", "unsMerge", "pairwise", "label", "keys", "indexUnique", "fillValue"],
  ]);
  const named = !Array.isArray(given);
  const adatas = Object.values(given) as AnnData[];
  const keys = options.keys ?? Object.keys(given);
  const { join = "inner", pairwise = false } = options;
  const wrong = (["merge", "unsMerge"] as const)
    .find((name) => !STRATEGIES.has(options[name] ?? null));
  const problem = adatas.length === 0
    ? "at least one object must be given: got none"
    : named && options.keys
    ? "objects that are given by name must have no keys beside"
    : keys.length !== adatas.length || new Set(keys).size !== keys.length
    ? `keys must be ${adatas.length} different names: got ${keys.join(", ")}`
    : join !== "inner" && join !== "outer"
    ? `join must be "inner" or "outer": got ${JSON.stringify(join)}`
    : wrong !== undefined
    ? `${wrong} must be "same", "unique", "first", "only" or null: got ${
      JSON.stringify(options[wrong])
    }`
    : undefined;
  if (typeof pairwise !== "boolean") {
    throw new TypeError(
      `Cannot concatenate as pairwise must be true or false: got ${JSON.stringify(pairwise)}`,
    );
  }
  if (problem !== undefined) throw new RangeError(`Cannot concatenate as ${problem}`);
  return { adatas, keys };
}

/**
 * Puts annotated data one below the other, as anndata's `concat` along obs: X, layers, obsm and obs are stacked and stay to be
 * read when asked for, and so do the blocks of obsp, [cells, cells], where `pairwise` asks for them. uns is left out unless
 * `unsMerge` says what is kept of it.
 *
 * @param given The objects, in order or by name.
 * @param options Which genes and columns are kept, and how cells are named; `merge` reads columns where it compares them, and
 *   `unsMerge` what it looks at of uns.
 * @returns Annotated data over the same files, which must stay open.
 * @throws {RangeError} Where an option does not fit, genes that differ have repeated names, or some objects alone have X.
 * @throws {TypeError} Where an option is not known or `pairwise` is no truth value.
 * @throws {FormatError} Where `unsMerge` meets a value that cannot be read.
 *
 * @example Two samples, all genes
 * ```ts
 * import assert from "node:assert/strict";
 * import { AnnData, concat, csrMatrix, DataFrame } from "@scgpt/sdk/data";
 *
 * const sample = (genes: string[]) =>
 *   AnnData.fromParts({
 *     X: csrMatrix({
 *       shape: [1, 2],
 *       indptr: Uint32Array.of(0, 2),
 *       indices: Uint32Array.of(0, 1),
 *       data: Float32Array.of(1, 2),
 *     }),
 *     obs: new DataFrame({ index: ["cell"] }),
 *     var: new DataFrame({ index: genes }),
 *   });
 * const both = await concat({ a: sample(["CD3D", "TP53"]), b: sample(["TP53", "ACTB"]) }, {
 *   join: "outer",
 *   label: "sample",
 *   indexUnique: "-",
 * });
 * assert.deepEqual([both.obsNames, both.varNames], [["cell-a", "cell-b"], ["ACTB", "CD3D", "TP53"]]);
 * assert.deepEqual([...await both.X!.dense()], [0, 1, 2, 2, 0, 1]);
 * ```
 *
 * @example Neighbours within each sample, and what the samples agree on
 * ```ts
 * import assert from "node:assert/strict";
 * import { AnnData, concat, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 *
 * const sample = (cells: string[], title: string) =>
 *   AnnData.fromParts({
 *     obs: new DataFrame({ index: cells }),
 *     var: new DataFrame({ index: ["CD3D"] }),
 *     obsp: { near: denseMatrix(new Float32Array(cells.length ** 2).fill(1), [cells.length, cells.length]) },
 *     uns: { title, pca: { zero_center: true, title } },
 *   });
 * const both = await concat([sample(["a"], "one"), sample(["b", "c"], "two")], {
 *   pairwise: true,
 *   unsMerge: "same",
 * });
 * const near = await both.obsp.need("near");
 * assert.deepEqual([...await near.dense()], [1, 0, 0, 0, 1, 1, 0, 1, 1]);
 * assert.deepEqual([both.uns.keys(), await both.uns.need("pca")], [["pca"], { zero_center: true }]);
 * ```
 */
export async function concat(
  given: readonly AnnData[] | Readonly<Record<string, AnnData>>,
  options: ConcatOptions = {},
): Promise<AnnData> {
  const { adatas, keys } = checkConcat(given, options);
  const { fillValue, merge = null, unsMerge = null, pairwise = false } = options;
  const fill = fillValue === undefined ? {} : { fill: fillValue };
  const work = { adatas, outer: options.join === "outer", merge, fill };
  const genes = genesOf(adatas.map(({ varNames }) => varNames), work.outer);
  const obs = stackObs(work, keys, options);
  return AnnData.fromParts({
    obs,
    ...stackX(work, genes),
    layers: stackLayers(work, genes),
    obsm: stackAxisArrays(work, obs.index),
    ...pairwise && { obsp: stackPairs(work) },
    ...await mergeGenes(work, adatas, genes),
    uns: await mergeUns(adatas.map(({ uns }) => uns), unsMerge),
    ...await stackRaw(work),
  });
}
