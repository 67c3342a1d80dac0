/** What belongs to the genes of concatenated data: which there are, and what is kept of theirs. */
import type { AxisArray } from "./anndata.ts";
import { equalColumns, equalValues } from "./concat_equal.ts";
import { mergeMaps, type MergeStrategy } from "./concat_merge.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { textComparer } from "./frame/text_order.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { selectMatrix } from "./matrix_select.ts";
import { stackMatrices } from "./matrix_stack.ts";

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

/** The genes of the result, and where each object's genes are among them. */
export interface Genes {
  readonly names: readonly string[];
  readonly places: readonly (Int32Array | undefined)[];
}

/** The genes of objects with these names of genes. */
export function genesOf(lists: readonly (readonly string[])[], outer: boolean): Genes {
  const names = jointNames(lists, outer);
  return { names, places: lists.map((list) => places(list, names)) };
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

/** A table over other rows; -1 for one that it lacks. */
function reindexed(frame: DataFrame, rows: Int32Array, index: readonly string[]): DataFrame {
  return new DataFrame({ index, columns: columnsOf(frame).map((column) => column.take(rows)) });
}

/** Lists of any length are passed on by no stack yet. */
export function refuseLists(what: string): never {
  throw new TypeError(`Cannot concatenate ${what} as it must hold no lists of any length: it does`);
}

/** What belongs to the genes, by the merge strategy. */
export async function mergeGenes(
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
    varm: await mergeMaps(varm, work.merge, equalValues),
    varp: await mergeMaps(varp, work.merge, equalValues),
  };
}
