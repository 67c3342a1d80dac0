/** Batches of cells for training. */
import { checkOptions } from "../checks.ts";
import type { DataFrame } from "../dataframe.ts";
import { type CsrRows, type Matrix, sliceRows } from "../matrix.ts";
import { appendRows, BLOCK } from "./cell_matrix.ts";
import type { CensusQuery, Chosen } from "./query.ts";
import { shuffledPlaces, type ShuffleOptions } from "./shuffle.ts";

/** Batches of cells for training. */
export interface CensusBatchOptions extends CensusQuery {
  /** Cells of a batch; the last one may have fewer. */
  readonly size: number;
  /** Random order; the order of the store unless given. */
  readonly shuffle?: ShuffleOptions;
}

/** A batch of cells. */
export interface CensusBatch {
  /** The cells. */
  readonly obs: DataFrame;
  /** Their values: row i is the i-th cell; columns are the genes of the query in the order of `var`. */
  readonly X: CsrRows;
}

/** Streams batches of chosen cells. */
export async function* readBatches(
  chosen: Chosen,
  options: Pick<CensusBatchOptions, "size" | "shuffle" | "signal">,
): AsyncGenerator<CensusBatch, void, undefined> {
  const { size, shuffle, signal } = options;
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot read batches of the Census as size must be an integer >= 1: got ${size}`,
    );
  }
  checkOptions("shuffle batches", shuffle ?? {}, ["seed", "epoch", "blocks"]);
  if (shuffle !== undefined) return yield* readShuffled(chosen, { size, shuffle, signal });
  for await (const X of chosen.X.rows({ batch: size, ...signal && { signal } })) {
    const rows = Uint32Array.from({ length: X.nRows }, (_, k) => X.start + k);
    yield { obs: chosen.obs.take(rows), X };
  }
}

/** Blocks in random order; cells of some blocks at a time are read once, and given out mixed. */
async function* readShuffled(
  { obs, obsIds, X }: Chosen,
  options: {
    readonly size: number;
    readonly shuffle: ShuffleOptions;
    readonly signal: AbortSignal | undefined;
  },
): AsyncGenerator<CensusBatch, void, undefined> {
  const { size, shuffle, signal } = options;
  let pending: { readonly places: Uint32Array; readonly rows: CsrRows } | undefined;
  const batch = (from: number, to: number): CensusBatch => {
    const { places, rows } = pending!;
    return {
      obs: obs.take(places.subarray(from, to)),
      X: { ...sliceRows(rows, from, to), start: 0 },
    };
  };
  for (const places of shuffledPlaces(obsIds, (id) => Math.floor(id / BLOCK), shuffle)) {
    const rows = await readPlaces(X, places, signal);
    pending = pending === undefined ? { places, rows } : {
      places: Uint32Array.of(...pending.places, ...places),
      rows: appendRows(pending.rows, rows),
    };
    let from = 0;
    for (; from + size <= pending.places.length; from += size) yield batch(from, from + size);
    const { length } = pending.places;
    pending = from === length ? undefined : {
      places: pending.places.slice(from),
      rows: sliceRows(pending.rows, from, length),
    };
  }
  if (pending !== undefined) yield batch(0, pending.places.length);
}

/** Rows at some places in their order; they are read by ascending place, which is how they are stored. */
async function readPlaces(
  X: Matrix,
  places: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<CsrRows> {
  const sorted = places.toSorted();
  let rows: CsrRows | undefined;
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[to - 1]! + 1) to++;
    const span = { start: sorted[from]!, end: sorted[to - 1]! + 1 };
    for await (const piece of X.rows({ ...span, ...signal && { signal } })) {
      rows = rows === undefined ? piece : appendRows(rows, piece);
    }
    from = to;
  }
  const rank = new Map(Array.from(sorted, (place, row) => [place, row]));
  return pickRows(rows!, Uint32Array.from(places, (place) => rank.get(place)!));
}

/** Rows of a piece in another order. */
function pickRows(piece: CsrRows, order: Uint32Array): CsrRows {
  const indptr = new Uint32Array(order.length + 1);
  order.forEach((row, k) =>
    indptr[k + 1] = indptr[k]! + piece.indptr[row + 1]! - piece.indptr[row]!
  );
  const indices = new Uint32Array(indptr.at(-1)!);
  const data = piece.data instanceof Float64Array
    ? new Float64Array(indices.length)
    : new Float32Array(indices.length);
  order.forEach((row, k) => {
    const [from, to] = [piece.indptr[row]!, piece.indptr[row + 1]!];
    indices.set(piece.indices.subarray(from, to), indptr[k]!);
    data.set(piece.data.subarray(from, to), indptr[k]!);
  });
  return { start: 0, nRows: order.length, nCols: piece.nCols, indptr, indices, data };
}
