/** Integers of 64 bits with every digit. */
import { columnsOf, type DataFrame } from "./dataframe.ts";
import { FormatError } from "./errors.ts";
import { entryOrigin } from "./lazy_map.ts";

/**
 * Reads a stored column of integers with every digit. Columns hold numbers, which are exact to 2^53; one that goes beyond is refused
 * by `frame.column(name)`, and is read with this.
 *
 * @param frame A table of a file, as it was opened: not a selection of rows.
 * @param name Name of the column.
 * @returns The integers; unsigned ones where they are stored so.
 * @throws {RangeError} Where there is no such column, or it is not as it was read from a file.
 * @throws {FormatError} "encoding" where it holds no plain integers.
 *
 * @example A column that numbers do not hold
 * ```ts
 * import assert from "node:assert/strict";
 * import { bigInts } from "@scgpt/sdk/data";
 * import { openH5ad } from "@scgpt/sdk/data/h5ad";
 *
 * using adata = await openH5ad("tests/fixtures/h5ad/odd.h5ad");
 * await assert.rejects(adata.obs.column("serial"), /within 2\^53/);
 * assert.equal((await bigInts(adata.obs, "serial"))[3], 2n ** 53n + 1n);
 * ```
 */
export async function bigInts(
  frame: DataFrame,
  name: string,
): Promise<BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>> {
  const entry = [...columnsOf(frame).entries()].find(([key]) => key === name)?.[1];
  const node = entry && entryOrigin(entry);
  if (node === undefined) {
    throw new RangeError(
      `Cannot read the integers of ${
        JSON.stringify(name)
      } as it must be a column as it was read from a file`,
    );
  }
  const data = node.node === "array" && node.dtype.kind === "numeric"
    ? await node.read()
    : undefined;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return data;
  if (data === undefined || data instanceof Float32Array || data instanceof Float64Array) {
    throw new FormatError("encoding", "Cannot read integers as the column holds none", node);
  }
  return BigInt64Array.from(Array.from(data as ArrayLike<number>, BigInt));
}
