/** What belongs to the cells of concatenated data: stacks that are read when they are asked for. */
import type { AnnData, AxisArray, Raw } from "./anndata.ts";
import { AwkwardArray } from "./awkward.ts";
import { type Genes, genesOf, mergeGenes, refuseLists } from "./concat_genes.ts";
import { jointKeys, type MergeStrategy } from "./concat_merge.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { concatColumns } from "./frame/join_columns.ts";
import { repeatedLabels } from "./frame/tables.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { blockDiagonal } from "./matrix_blocks.ts";
import { stackMatrices } from "./matrix_stack.ts";

/** What a concatenation works on. */
export interface Work {
  readonly adatas: readonly AnnData[];
  readonly outer: boolean;
  readonly merge: MergeStrategy | null;
  readonly fill: { readonly fill?: number };
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

/** The values of one name of each object, undefined where it has none. */
function valuesOf<T>(maps: readonly LazyMap<T>[], name: string): Promise<(T | undefined)[]> {
  return Promise.all(maps.map((map) => map.get(name)));
}

/** The layers of all objects. */
export function stackLayers(work: Work, genes: Genes): LazyMap<Matrix> {
  const maps = work.adatas.map(({ layers }) => layers);
  return new LazyMap(
    "layers",
    jointKeys(maps, work.outer).map((name) => {
      const load = async () => stackOverGenes(work, await valuesOf(maps, name), genes);
      return [name, { load }] as const;
    }),
  );
}

/** The arrays along the cells; an inner join keeps the columns that all have. */
export function stackAxisArrays(work: Work, index: readonly string[]): LazyMap<AxisArray> {
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

/** The matrices of cells x cells, along the diagonal of sparse ones of all cells. */
export function stackPairs({ adatas, outer }: Work): LazyMap<Matrix> {
  const maps = adatas.map(({ obsp }) => obsp);
  const sizes = adatas.map(({ nObs }) => nObs);
  const stack = (name: string, values: readonly (Matrix | undefined)[]): Matrix => {
    values.forEach((matrix, k) => {
      const size = sizes[k]!;
      if (matrix === undefined || matrix.shape.every((length) => length === size)) return;
      throw new RangeError(
        `Cannot concatenate obsp ${name} as it must be ${size} x ${size}: got ${
          matrix.shape.join(" x ")
        }`,
      );
    });
    return blockDiagonal(values, sizes);
  };
  return new LazyMap(
    "obsp",
    jointKeys(maps, outer).map((name) => {
      const load = async () => stack(name, await valuesOf(maps, name));
      return [name, { load }] as const;
    }),
  );
}

/** The unfiltered data of all objects, where all have them. */
export async function stackRaw(work: Work): Promise<{ raw?: Raw }> {
  const raws = work.adatas.flatMap(({ raw }) => raw ? [raw] : []);
  if (raws.length < work.adatas.length) return {};
  const genes = genesOf(raws.map((raw) => raw.var.index), work.outer);
  const X = stackOverGenes(work, raws.map((raw) => raw.X), genes);
  const { var: vars, varm } = await mergeGenes({ merge: null }, raws, genes);
  return { raw: { X, var: vars, varm } };
}

/** X of all objects; all or none must have one. */
export function stackX(work: Work, genes: Genes): { X?: Matrix } {
  const matrices = work.adatas.map(({ X }) => X);
  const missing = matrices.filter((X) => X === undefined).length;
  if (missing === matrices.length) return {};
  if (missing === 0) return { X: stackOverGenes(work, matrices, genes) };
  throw new RangeError(
    `Cannot concatenate as all objects or none must have X: ${missing} of ${matrices.length} have none`,
  );
}

/** Names of the cells, made unique where that is asked for, and their table. */
export function stackObs(
  work: Work,
  keys: readonly string[],
  options: { readonly label?: string; readonly indexUnique?: string },
): DataFrame {
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
