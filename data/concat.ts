/** Annotated data one below the other. */
import { AnnData, type AxisArray, type Raw } from "./anndata.ts";
import { AwkwardArray } from "./awkward.ts";
import { checkOptions } from "./checks.ts";
import {
  equalAxisArrays,
  equalColumns,
  equalMatrices,
  mergeMaps,
  type MergeStrategy,
  reindexed,
} from "./concat_merge.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { concatColumns } from "./frame/join_columns.ts";
import { repeatedLabels } from "./frame/tables.ts";
import { textComparer } from "./frame/text_order.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { stackMatrices } from "./matrix_stack.ts";
import { selectMatrix } from "./matrix_select.ts";

/** How annotated data are put together. */
export interface ConcatOptions {
  /** Genes, columns of obs, layers and obsm that are kept: those of all objects (`inner`, the default), or of any. */
  readonly join?: "inner" | "outer";
  /** Which columns of var, varm and varp are kept; none unless told. */
  readonly merge?: MergeStrategy | null;
  /** Name of a column of obs that says which object a cell is from; none unless told. */
  readonly label?: string;
  /** Names of the objects; "0", "1", ... unless told, or the keys where the objects are given by name. */
  readonly keys?: readonly string[];
  /** Put between a cell's name and its object's, to make names unique; names stay as they are unless told. */
  readonly indexUnique?: string;
  /** Value where an object lacks a gene; 0 in sparse matrices and NaN in dense ones unless told. */
  readonly fillValue?: number;
}

/** What a concatenation works on. */
interface Work {
  readonly adatas: readonly AnnData[];
  readonly outer: boolean;
  readonly merge: MergeStrategy | null;
  readonly fill: { readonly fill?: number };
}

/** Genes of the result: shared ones in the first object's order; all of them sorted, unless every object has the same. */
function jointNames(lists: readonly (readonly string[])[], outer: boolean): readonly string[] {
  return lists.reduce((one, other) => {
    if (one.length === other.length && one.every((name, k) => name === other[k])) return one;
    const names = new Set(other);
    if (!outer) return [...new Set(one)].filter((name) => names.has(name));
    const all = [...new Set([...one, ...other])];
    return other.length === 0 ? one : one.length === 0 ? other : all.sort(textComparer(all));
  });
}

/** Place of each of `names` among `joint`, -1 where it is none of them; refuses names that repeat. */
function places(names: readonly string[], joint: readonly string[]): Int32Array | undefined {
  if (names.length === joint.length && names.every((name, k) => name === joint[k])) {
    return undefined;
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new RangeError(
        `Cannot concatenate as genes that differ must have unique names: got ${
          JSON.stringify(name)
        } twice`,
      );
    }
    seen.add(name);
  }
  const place = new Map(joint.map((name, k) => [name, k]));
  return Int32Array.from(names, (name) => place.get(name) ?? -1);
}

/** Row of each joint gene in an object, -1 where it lacks the gene. */
function sourceRows(place: Int32Array | undefined, length: number): Int32Array {
  const rows = Int32Array.from({ length }, (_, k) => place === undefined ? k : -1);
  place?.forEach((to, from) => to >= 0 && (rows[to] = from));
  return rows;
}

/** Names that all maps have, or any. */
function jointKeys(maps: readonly LazyMap<unknown>[], outer: boolean): string[] {
  const all = [...new Set(maps.flatMap((map) => map.keys()))];
  return outer ? all : all.filter((name) => maps.every((map) => map.has(name)));
}

/** Stacks the matrices of cells x genes. */
function stackOverGenes(
  work: Work,
  matrices: readonly (Matrix | undefined)[],
  genes: Genes,
): Matrix {
  const parts = matrices.map((matrix, k) => {
    const columns = genes.places[k];
    return { matrix, nRows: work.adatas[k]!.nObs, ...matrix && columns && { columns } };
  });
  return stackMatrices(parts, { nCols: genes.names.length, ...work.fill });
}

/** The genes of the result, and where each object's genes are among them. */
interface Genes {
  readonly names: readonly string[];
  readonly places: readonly (Int32Array | undefined)[];
}

function genesOf(lists: readonly (readonly string[])[], outer: boolean): Genes {
  const names = jointNames(lists, outer);
  return { names, places: lists.map((list) => places(list, names)) };
}

/** The values of one name of each object, undefined where it has none. */
function valuesOf<T>(maps: readonly LazyMap<T>[], name: string): Promise<(T | undefined)[]> {
  return Promise.all(maps.map((map) => map.get(name)));
}

/** The layers of all objects. */
function stackLayers(work: Work, genes: Genes): LazyMap<Matrix> {
  const maps = work.adatas.map(({ layers }) => layers);
  return new LazyMap(
    "layers",
    jointKeys(maps, work.outer).map((name) => {
      const load = async () => stackOverGenes(work, await valuesOf(maps, name), genes);
      return [name, { load }] as const;
    }),
  );
}

/** Lists of any length are passed on by no stack yet. */
function refuseLists(what: string): never {
  throw new TypeError(`Cannot concatenate ${what} as it must hold no lists of any length: it does`);
}

/** The arrays along the cells; an inner join keeps the columns that all have. */
function stackAxisArrays(work: Work, index: readonly string[]): LazyMap<AxisArray> {
  const maps = work.adatas.map(({ obsm }) => obsm);
  const { outer } = work;
  const stack = (name: string, values: (AxisArray | undefined)[]): AxisArray => {
    const there = values.filter((value) => value !== undefined);
    if (there.some((value) => value instanceof AwkwardArray)) refuseLists(`obsm ${name}`);
    if (there.every((value) => !isMatrix(value))) {
      const tables = values.map((value, k) => ({
        length: work.adatas[k]!.nObs,
        columns: value ? columnsOf(value as DataFrame) : new LazyMap<never>("column"),
      }));
      return new DataFrame({ index, columns: concatColumns(tables, outer ? "outer" : "inner") });
    }
    if (!there.every(isMatrix)) {
      throw new TypeError(`Cannot concatenate obsm ${name} as it is a table in some objects alone`);
    }
    const widths = there.map(({ shape }) => shape[1]);
    const nCols = outer ? Math.max(...widths) : Math.min(...widths);
    const parts = values.map((value, k) => ({
      matrix: value as Matrix | undefined,
      nRows: work.adatas[k]!.nObs,
      ...isMatrix(value) && value.shape[1] > nCols && {
        columns: Int32Array.from({ length: value.shape[1] }, (_, c) => c < nCols ? c : -1),
      },
    }));
    return stackMatrices(parts, { nCols, ...work.fill });
  };
  return new LazyMap(
    "obsm",
    jointKeys(maps, outer).map((name) => {
      const load = async () => stack(name, await valuesOf(maps, name));
      return [name, { load }] as const;
    }),
  );
}

/** A matrix over the joint genes as its rows; those that it lacks are filled. */
function reindexRows(matrix: Matrix, rows: Int32Array): Matrix {
  if (rows.every((row, k) => row === k) && rows.length === matrix.shape[0]) return matrix;
  const there = [...rows.keys()].filter((k) => rows[k]! >= 0);
  // The missing rows lie below the others first, and then go where they belong.
  const stacked = stackMatrices([
    { matrix: selectMatrix(matrix, { rows: there.map((k) => rows[k]!) }), nRows: there.length },
    {
      matrix: undefined,
      nRows: rows.length - there.length,
    },
  ], { nCols: matrix.shape[1] });
  const place = new Int32Array(rows.length);
  let [kept, missing] = [0, there.length];
  rows.forEach((row, k) => place[k] = row >= 0 ? kept++ : missing++);
  return selectMatrix(stacked, { rows: place });
}

/** A matrix of genes x genes over the joint genes. */
function reindexSquare(matrix: Matrix, place: Int32Array | undefined, nCols: number): Matrix {
  const wide = place === undefined
    ? matrix
    : stackMatrices([{ matrix, nRows: matrix.shape[0], columns: place }], { nCols });
  return reindexRows(wide, sourceRows(place, nCols));
}

/** What belongs to the genes, by the merge strategy. */
async function mergeGenes(
  work: { merge: MergeStrategy | null },
  objects: readonly { var: DataFrame; varm: LazyMap<AxisArray>; varp?: LazyMap<Matrix> }[],
  genes: Genes,
): Promise<{ var: DataFrame; varm: LazyMap<AxisArray>; varp: LazyMap<Matrix> }> {
  const { names } = genes;
  const rows = genes.places.map((place) => sourceRows(place, names.length));
  const move = (value: AxisArray, k: number) => {
    if (isMatrix(value)) return reindexRows(value, rows[k]!);
    if (value instanceof DataFrame) return reindexed(value, rows[k]!, names);
    return rows[k]!.includes(-1) ? refuseLists("varm") : value.take(rows[k]!);
  };
  const frames = objects.map((object, k) => columnsOf(object.var).map((c) => c.take(rows[k]!)));
  const varm = objects.map((object, k) => object.varm.map((value) => move(value, k)));
  const varp = objects.map(({ varp = new LazyMap<Matrix>("varp") }, k) =>
    varp.map((matrix) => reindexSquare(matrix, genes.places[k], names.length))
  );
  return {
    var: new DataFrame({
      index: names,
      columns: await mergeMaps(frames, work.merge, equalColumns),
    }),
    varm: await mergeMaps(varm, work.merge, equalAxisArrays),
    varp: await mergeMaps(varp, work.merge, equalMatrices),
  };
}

/** The unfiltered data of all objects, where all have them. */
async function stackRaw(work: Work): Promise<{ raw?: Raw }> {
  const raws = work.adatas.flatMap(({ raw }) => raw ? [raw] : []);
  if (raws.length < work.adatas.length) return {};
  const genes = genesOf(raws.map((raw) => raw.var.index), work.outer);
  const X = stackOverGenes(work, raws.map((raw) => raw.X), genes);
  const { var: vars, varm } = await mergeGenes({ merge: null }, raws, genes);
  return { raw: { X, var: vars, varm } };
}

/** X of all objects; all or none must have one. */
function stackX(work: Work, genes: Genes): { X?: Matrix } {
  const matrices = work.adatas.map(({ X }) => X);
  const missing = matrices.filter((X) => X === undefined).length;
  if (missing === matrices.length) return {};
  if (missing === 0) return { X: stackOverGenes(work, matrices, genes) };
  throw new RangeError(
    `Cannot concatenate as all objects or none must have X: ${missing} of ${matrices.length} have none`,
  );
}

/** Names of the cells, made unique where that is asked for, and their table. */
function stackObs(work: Work, keys: readonly string[], options: ConcatOptions): DataFrame {
  const { label, indexUnique } = options;
  const { adatas, outer } = work;
  const index = adatas.flatMap(({ obsNames }, k) =>
    indexUnique === undefined ? obsNames : obsNames.map((name) => name + indexUnique + keys[k])
  );
  const tables = adatas.map(({ obs, nObs }) => ({ length: nObs, columns: columnsOf(obs) }));
  const columns = concatColumns(tables, outer ? "outer" : "inner", { natural: true });
  const obs = new DataFrame({ index, columns });
  if (label === undefined) return obs;
  return obs.with(label, repeatedLabels(keys, adatas.map(({ nObs }) => nObs)));
}

/** Refuses options that do not fit, and gives the objects and their names. */
function checkConcat(
  given: readonly AnnData[] | Readonly<Record<string, AnnData>>,
  options: ConcatOptions,
): { adatas: readonly AnnData[]; keys: readonly string[] } {
  checkOptions("concatenate", options, [
    ...["join", "merge", "label", "keys", "indexUnique", "fillValue"],
  ]);
  const named = !Array.isArray(given);
  const adatas = Object.values(given) as AnnData[];
  const keys = options.keys ?? Object.keys(given);
  const { join = "inner", merge = null } = options;
  const problem = adatas.length === 0
    ? "at least one object must be given: got none"
    : named && options.keys
    ? "objects that are given by name must have no keys beside"
    : keys.length !== adatas.length || new Set(keys).size !== keys.length
    ? `keys must be ${adatas.length} different names: got ${keys.join(", ")}`
    : join !== "inner" && join !== "outer"
    ? `join must be "inner" or "outer": got ${JSON.stringify(join)}`
    : merge !== null && !["same", "unique", "first", "only"].includes(merge)
    ? `merge must be "same", "unique", "first", "only" or null: got ${JSON.stringify(merge)}`
    : undefined;
  if (problem !== undefined) throw new RangeError(`Cannot concatenate as ${problem}`);
  return { adatas, keys };
}

/**
 * Puts annotated data one below the other, as anndata's `concat` along obs: X, layers, obsm and obs are stacked and stay to be
 * read when asked for; obsp and uns are left out.
 *
 * @param given The objects, in order or by name.
 * @param options Which genes and columns are kept, and how cells are named; `merge` reads columns where it compares them.
 * @returns Annotated data over the same files, which must stay open.
 * @throws {RangeError} Where an option does not fit, genes that differ have repeated names, or some objects alone have X.
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
 */
export async function concat(
  given: readonly AnnData[] | Readonly<Record<string, AnnData>>,
  options: ConcatOptions = {},
): Promise<AnnData> {
  const { adatas, keys } = checkConcat(given, options);
  const { fillValue, merge = null } = options;
  const fill = fillValue === undefined ? {} : { fill: fillValue };
  const work = { adatas, outer: options.join === "outer", merge, fill };
  const genes = genesOf(adatas.map(({ varNames }) => varNames), work.outer);
  const obs = stackObs(work, keys, options);
  return AnnData.fromParts({
    obs,
    ...stackX(work, genes),
    layers: stackLayers(work, genes),
    obsm: stackAxisArrays(work, obs.index),
    ...await mergeGenes(work, adatas, genes),
    ...await stackRaw(work),
  });
}
