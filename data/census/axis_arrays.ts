/** Arrays along cells and genes that are read whole: presence, embeddings. */
import type { Matrix } from "../matrix.ts";
import { csrMatrix, denseMatrix } from "../matrix_memory.ts";
import type { SomaSparseNDArray, SomaTable } from "../soma/mod.ts";

/** Which genes were measured in which datasets, as a matrix of 0 and 1. */
export function presenceMatrix(table: SomaTable, shape: [number, number]): Matrix {
  const [rows, columns] = ["soma_dim_0", "soma_dim_1"].map((name) =>
    table.column(name, "numeric").data as Float64Array
  );
  const indptr = new Uint32Array(shape[0] + 1);
  for (const row of rows!) indptr[row + 1]!++;
  for (let row = 0; row < shape[0]; row++) indptr[row + 1]! += indptr[row]!;
  const next = indptr.slice(0, -1);
  const indices = new Uint32Array(table.length);
  const data = new Float32Array(table.length);
  const { data: values } = table.column("soma_data", "boolean");
  rows!.forEach((row, i) => {
    const at = next[row]!++;
    indices[at] = columns![i]!;
    data[at] = values[i]!;
  });
  return csrMatrix({ shape, indptr, indices, data });
}

/** Vectors of an embedding array as a dense matrix. */
export async function readEmbedding(
  array: SomaSparseNDArray,
  joinids: ArrayLike<number>,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const width = array.shape[1]!;
  const rows = new Map(Array.from(joinids, (id, row) => [id, row]));
  if (rows.size !== joinids.length) {
    throw new RangeError("Cannot read an embedding as a soma_joinid must not repeat");
  }
  const values = new Float32Array(joinids.length * width).fill(NaN);
  const ids = Float64Array.from(joinids);
  for await (const table of array.read({ coords: [ids], ...signal && { signal } })) {
    const [cells, axes] = ["soma_dim_0", "soma_dim_1"].map((name) =>
      table.column(name, "numeric").data as Float64Array
    );
    const { data } = table.column("soma_data", "numeric");
    for (let i = 0; i < table.length; i++) {
      values[rows.get(cells![i]!)! * width + axes![i]!] = Number(data[i]!);
    }
  }
  return denseMatrix(values, [joinids.length, width]);
}
