/** Matrices one below the other over the same columns, read when they are asked for. */
import { type CsrRows, type Matrix, matrixOf, type RowRange } from "./matrix.ts";
import { fitsFloat32, type FloatArray, promote } from "./numbers.ts";
import type { NumericDtype } from "./storage.ts";

/** One matrix of a stack. */
export interface StackPart {
  /** The matrix; undefined where its rows have no values at all. */
  readonly matrix: Matrix | undefined;
  /** Number of rows. */
  readonly nRows: number;
  /** New place of each column, -1 where it is left out; undefined where columns stay. */
  readonly columns?: Int32Array;
}

/** What a stack of matrices is like. */
export interface StackShape {
  /** Columns of the stack. */
  readonly nCols: number;
  /** Value where a part has no such column; 0 beside sparse parts and NaN otherwise unless told. */
  readonly fill?: number;
}

/** What a piece is turned into. */
interface Target {
  readonly nCols: number;
  readonly fill: number;
  readonly Values: Float32ArrayConstructor | Float64ArrayConstructor;
}

/** The type that holds the values of all parts and the fill. */
function stackedDtype(parts: readonly StackPart[], fill: number | undefined): string {
  const names = parts.flatMap(({ matrix }) => matrix ? [matrix.dtype] : []);
  const numeric = names.filter((name) => name !== "bool") as NumericDtype[];
  const dtype = numeric.length > 0 ? numeric.reduce(promote) : names[0] ?? "float64";
  // As numpy's, whole numbers beside NaN become doubles.
  const whole = !dtype.startsWith("float");
  return fill !== undefined && !Number.isInteger(fill) && whole ? "float64" : dtype;
}

/** Columns of the stack that a part does not have. */
function absentColumns({ matrix, columns }: StackPart, nCols: number): Uint32Array {
  const there = new Uint8Array(nCols);
  if (columns === undefined) there.fill(1, 0, matrix?.shape[1] ?? 0);
  else for (const column of columns) if (column >= 0) there[column] = 1;
  return Uint32Array.from([...there.keys()].filter((column) => !there[column]));
}

/** Sorts a row's entries by column where they are not. */
function sortEntries(indices: Uint32Array, data: FloatArray): void {
  let sorted = true;
  for (let k = 1; k < indices.length; k++) sorted &&= indices[k - 1]! < indices[k]!;
  if (sorted) return;
  const order = [...indices.keys()].sort((a, b) => indices[a]! - indices[b]!);
  const [columns, values] = [indices.slice(), data.slice()];
  order.forEach((from, to) => {
    indices[to] = columns[from]!;
    data[to] = values[from]!;
  });
}

/** A piece over the columns of the stack. */
function movedPiece(
  piece: CsrRows,
  part: StackPart & { readonly absent: Uint32Array },
  target: Target,
): CsrRows {
  const { columns, absent } = part;
  const added = absent.length;
  const length = piece.indices.length + added * piece.nRows;
  const indices = new Uint32Array(length);
  const data = new target.Values(length);
  const indptr = new Uint32Array(piece.nRows + 1);
  let at = 0;
  for (let row = 0; row < piece.nRows; row++) {
    const from = at;
    for (let k = piece.indptr[row]!; k < piece.indptr[row + 1]!; k++) {
      const column = columns ? columns[piece.indices[k]!]! : piece.indices[k]!;
      if (column < 0) continue;
      indices[at] = column;
      data[at++] = piece.data[k]!;
    }
    for (let k = 0; k < added; k++) {
      indices[at] = absent[k]!;
      data[at++] = target.fill;
    }
    sortEntries(indices.subarray(from, at), data.subarray(from, at) as FloatArray);
    indptr[row + 1] = at;
  }
  const kept = { indices: indices.slice(0, at), data: data.slice(0, at) };
  return { start: piece.start, nRows: piece.nRows, nCols: target.nCols, indptr, ...kept };
}

/** Consecutive pieces as one. */
function joinPieces(pieces: readonly CsrRows[]): CsrRows {
  if (pieces.length === 1) return pieces[0]!;
  const nRows = pieces.reduce((sum, piece) => sum + piece.nRows, 0);
  const count = pieces.reduce((sum, piece) => sum + piece.indices.length, 0);
  const [first] = pieces as [CsrRows];
  const indptr = new Uint32Array(nRows + 1);
  const indices = new Uint32Array(count);
  const data = first.data instanceof Float32Array
    ? new Float32Array(count)
    : new Float64Array(count);
  let row = 0, at = 0;
  for (const piece of pieces) {
    for (let r = 1; r <= piece.nRows; r++) indptr[row + r] = at + piece.indptr[r]!;
    indices.set(piece.indices, at);
    data.set(piece.data, at);
    row += piece.nRows;
    at += piece.indices.length;
  }
  return { start: first.start, nRows, nCols: first.nCols, indptr, indices, data };
}

/** Rows that a part without values reads as. */
function* emptyPieces(start: number, end: number): Generator<CsrRows> {
  for (let at = start; at < end; at += 1024) {
    const nRows = Math.min(1024, end - at);
    const none = { indices: new Uint32Array(0), data: new Float32Array(0) };
    yield { start: at, nRows, nCols: 0, indptr: new Uint32Array(nRows + 1), ...none };
  }
}

/** A part with its place in the stack. */
type Placed = StackPart & { readonly offset: number; readonly absent: Uint32Array };

/** Rows of a part, over the columns of the stack and numbered as its rows. */
async function* readPart(
  part: Placed,
  range: { start: number; end: number; batch: number; signal: AbortSignal | undefined },
  target: Target,
): AsyncGenerator<CsrRows> {
  const { start, end, batch, signal } = range;
  if (start === end) return;
  // A batch of one is what no batch looks like here; pieces may then be as large as the part makes them.
  const options = { start, end, ...batch > 1 && { batch }, ...signal && { signal } };
  for await (const piece of part.matrix?.rows(options) ?? emptyPieces(start, end)) {
    const moved = movedPiece(piece, part, target);
    yield { ...moved, start: moved.start + part.offset };
  }
}

/** Streams a range of the stack in pieces of whole multiples of rows. */
async function* stackPieces(
  parts: readonly Placed[],
  range: RowRange,
  target: Target,
): AsyncGenerator<CsrRows> {
  const { multiple, signal } = range;
  let pending: CsrRows[] = [], count = 0;
  for (const part of parts) {
    const first = Math.max(range.start - part.offset, 0);
    const last = Math.min(range.end - part.offset, part.nRows);
    if (first >= last) continue;
    const read = (start: number, end: number) =>
      readPart(part, { start, end, batch: multiple, signal }, target);
    const head = count === 0 ? first : Math.min(last, first + multiple - count);
    for await (const piece of read(first, head)) count += piece.nRows, pending.push(piece);
    if (count === multiple) {
      yield joinPieces(pending);
      [pending, count] = [[], 0];
    }
    if (count > 0) continue;
    const tail = head + Math.floor((last - head) / multiple) * multiple;
    yield* read(head, tail);
    for await (const piece of read(tail, last)) count += piece.nRows, pending.push(piece);
  }
  if (count > 0) yield joinPieces(pending);
}

/**
 * Stacks matrices; nothing is read before rows are asked for.
 *
 * @param parts The matrices from top to bottom.
 * @param shape Columns of the stack, and what fills those that a part lacks.
 */
export function stackMatrices(parts: readonly StackPart[], shape: StackShape): Matrix {
  const { nCols } = shape;
  const sparse = parts.some(({ matrix }) => matrix !== undefined && matrix.format !== "dense");
  const fill = shape.fill ?? (sparse ? 0 : NaN);
  let offset = 0;
  const placed = parts.map((part): Placed => {
    // Zeros are not written, so nobody asks where they are.
    const absent = fill === 0 ? new Uint32Array(0) : absentColumns(part, nCols);
    const made = { ...part, offset, absent };
    offset += part.nRows;
    return made;
  });
  const filled = placed.some(({ absent, nRows }) => absent.length > 0 && nRows > 0);
  const dtype = stackedDtype(parts, filled ? fill : undefined);
  const Values = fitsFloat32(dtype) ? Float32Array : Float64Array;
  return matrixOf({
    shape: [offset, nCols],
    format: sparse ? "csr" : "dense",
    dtype,
    pieces: (range) => stackPieces(placed, range, { nCols, fill, Values }),
  });
}
