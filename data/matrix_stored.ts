/** Matrices over stored arrays. */
import { FormatError } from "./errors.ts";
import { type CsrRows, type Matrix, matrixOf, type RowRange } from "./matrix.ts";
import { cscPieces } from "./matrix_csc.ts";
import { denseWindows, sparsify } from "./matrix_memory.ts";
import { toFloats, toIndices } from "./numbers.ts";
import { canonicalRows } from "./rows_check.ts";
import type { Range, StorageArray, StorageGroup } from "./storage.ts";
import {
  childArray,
  numberName,
  readBounds,
  readNumbers,
  type SparseArrays,
} from "./stored_arrays.ts";

/** Stored values that one piece holds, unless one row or batch has more. */
const PIECE_VALUES = 1 << 20;

/** Opens a stored dense matrix of one or two axes. */
export function storedDense(array: StorageArray): Matrix {
  const axes = array.shape ?? [];
  if (axes.length !== 1 && axes.length !== 2) {
    throw new FormatError(
      "encoding",
      `Cannot read a matrix as it must have 1 or 2 axes: got ${axes.length}`,
      array,
    );
  }
  const shape = [axes[0]!, axes[1] ?? 1] as const;
  const nCols = shape[1];
  return matrixOf({
    shape,
    format: "dense",
    dtype: numberName(array.dtype, array),
    origin: array,
    async *pieces(range: RowRange) {
      for (const [start, end] of denseWindows(range, nCols, array.chunks?.[0])) {
        const values = toFloats(await readNumbers(array, [[start, end]], SHARED), array);
        yield sparsify(values, { start, nRows: end - start, nCols });
      }
    },
  });
}

/** Pieces are only read, as whoever gets rows must not change them. */
const SHARED = { shared: true };

/** Values of a chunk at whose end a piece ends rather than in the next one, so that it need not be put together of two. */
const LARGE_CHUNK = PIECE_VALUES >> 2;

/** Where a piece that starts at `start` ends: some whole multiples of rows with at most `PIECE_VALUES` values. */
function pieceEnd(
  { bounds, chunk }: { bounds: Float64Array; chunk: number },
  start: number,
  range: RowRange,
): number {
  const first = bounds[start]!;
  const chunkEnd = chunk < LARGE_CHUNK ? Infinity : (Math.floor(first / chunk) + 1) * chunk;
  const limit = Math.min(first + PIECE_VALUES, chunkEnd);
  let end = Math.min(start + range.multiple, range.end);
  while (end < range.end) {
    const next = Math.min(end + range.multiple, range.end);
    if (bounds[next]! > limit) break;
    end = next;
  }
  return end;
}

/** Reads rows of a stored CSR matrix. */
async function readCsrRows(
  arrays: SparseArrays,
  bounds: Float64Array,
  rows: { start: number; end: number; nCols: number },
): Promise<CsrRows> {
  const { start, end, nCols } = rows;
  const first = bounds[start]!;
  const range: Range = [first, bounds[end]!];
  const [columns, values] = await Promise.all([
    readNumbers(arrays.indices, [range], SHARED),
    readNumbers(arrays.data, [range], SHARED),
  ]);
  const indices = toIndices(columns);
  const data = toFloats(values, arrays.data);
  const indptr = new Uint32Array(end - start + 1);
  for (let row = start; row <= end; row++) indptr[row - start] = bounds[row]! - first;
  return canonicalRows(
    { start, nRows: end - start, nCols, indptr, indices, data },
    arrays.indices,
  );
}

/** Opens a stored sparse matrix from its arrays. */
function storedSparse(
  arrays: SparseArrays,
  description: {
    format: "csr" | "csc";
    shape: readonly [number, number];
    origin: StorageGroup;
  },
): Matrix {
  const { format, shape } = description;
  const dtype = numberName(arrays.data.dtype, arrays.data);
  if (format === "csc") {
    return matrixOf({ ...description, dtype, pieces: cscPieces(arrays, shape) });
  }
  let bounds: Promise<Float64Array> | undefined;
  return matrixOf({
    ...description,
    dtype,
    async *pieces(range: RowRange) {
      bounds ??= readBounds(arrays, shape[0] + 1);
      const known = await bounds;
      for (let start = range.start; start < range.end;) {
        const end = pieceEnd({ bounds: known, chunk: arrays.data.chunks?.[0] ?? 0 }, start, range);
        yield await readCsrRows(arrays, known, { start, end, nCols: shape[1] });
        start = end;
      }
    },
  });
}

/** Opens the group of a stored sparse matrix. */
export async function openSparse(
  group: StorageGroup,
  description: { format: "csr" | "csc"; shape: readonly number[] },
): Promise<Matrix> {
  const [nRows, nCols] = description.shape;
  if (description.shape.length !== 2 || nRows === undefined || nCols === undefined) {
    throw new FormatError(
      "value",
      `Cannot read the matrix as its shape must have 2 axes: got [${description.shape}]`,
      group,
    );
  }
  const arrays = {
    data: await childArray(group, "data"),
    indices: await childArray(group, "indices"),
    indptr: await childArray(group, "indptr"),
  };
  if (arrays.data.shape?.[0] !== arrays.indices.shape?.[0]) {
    throw new FormatError(
      "value",
      `Cannot read the matrix as data and indices must be equally long: got ${
        arrays.data.shape?.[0]
      } and ${arrays.indices.shape?.[0]}`,
      group,
    );
  }
  return storedSparse(arrays, { format: description.format, shape: [nRows, nCols], origin: group });
}
