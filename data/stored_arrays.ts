/** Reading the arrays that stored matrices and columns are made of. */
import { FormatError } from "./errors.ts";
import { toFloats } from "./numbers.ts";
import type { Dtype, Range, RawArray, ReadOptions, StorageArray, StorageGroup } from "./storage.ts";

/** The three arrays of a stored sparse matrix. */
export interface SparseArrays {
  /** Values. */
  readonly data: StorageArray;
  /** Column of each value, or its row in CSC. */
  readonly indices: StorageArray;
  /** Bounds of the rows, or of the columns in CSC. */
  readonly indptr: StorageArray;
}

/** numpy's name of an element type that numbers are read from; throws where there is none. */
export function numberName(dtype: Dtype, array: StorageArray): string {
  if (dtype.kind === "numeric") return dtype.name;
  if (dtype.kind === "bool") return "bool";
  const found = dtype.kind === "unsupported" ? dtype.name : dtype.kind;
  throw new FormatError(
    "encoding",
    `Cannot read numbers as the elements are of type ${found}`,
    array,
  );
}

/** A child array of a group; throws "missing-key" where there is none. */
export async function childArray(group: StorageGroup, name: string): Promise<StorageArray> {
  const child = await group.get(name);
  if (child?.node === "array") return child;
  throw new FormatError(
    "missing-key",
    `Cannot read ${group.key} as it has no array ${name}`,
    group,
  );
}

/** Numbers of a block of an array. */
export async function readNumbers(
  array: StorageArray,
  ranges?: readonly Range[],
  options?: ReadOptions,
): Promise<RawArray> {
  numberName(array.dtype, array);
  return await array.read(ranges, options) as RawArray;
}

/** Where bounds first fall, -1 where they never do. */
function fallOf(bounds: Float64Array): number {
  for (let row = 1; row < bounds.length; row++) if (bounds[row]! < bounds[row - 1]!) return row;
  return -1;
}

/** Bounds as numbers; throws where they are not `count` rising bounds within the values. */
export async function readBounds(arrays: SparseArrays, count: number): Promise<Float64Array> {
  const { indptr, data } = arrays;
  const bounds = new Float64Array(toFloats(await readNumbers(indptr), indptr));
  const stored = data.shape?.[0] ?? 0;
  const fall = fallOf(bounds);
  if (bounds.length !== count || bounds[0] !== 0 || fall !== -1 || bounds.at(-1)! > stored) {
    throw new FormatError(
      "value",
      `Cannot read the matrix as indptr must be ${count} rising bounds from 0 to at most ${stored}: ` +
        `got ${bounds.length} from ${bounds[0]} to ${bounds.at(-1)}${
          fall === -1 ? "" : `, falling at ${fall}`
        }`,
      indptr,
    );
  }
  return bounds;
}
