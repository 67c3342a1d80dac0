/** Orders that a seed decides. */

/** A permutation of 0 .. n - 1; the same one for the same seed. */
export function permutation(n: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const random = uniform(seed);
  for (let i = n - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** Numbers in [0, 1) with 32 bits (mulberry32). */
function uniform(seed: number): () => number {
  let state = mix(seed);
  return () => {
    state = state + 0x6d2b79f5 | 0;
    return mix(state) / 2 ** 32;
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ value >>> 15, 1 | value);
  mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
  return (mixed ^ mixed >>> 14) >>> 0;
}

/** How batches are shuffled. */
export interface ShuffleOptions {
  /** Decides the order. */
  readonly seed: number;
  /** Which time the cells are gone through: another one, another order; 0 unless given. */
  readonly epoch?: number;
  /** Blocks of 2,048 stored cells that are mixed with each other at a time, and held in memory; 4 unless given. */
  readonly blocks?: number;
}

/**
 * An order of cells that is random enough for training and cheap to read: blocks of cells that are stored together come
 * in random order, and some of them at a time are mixed cell by cell.
 *
 * @param ids Ids of the cells, ascending.
 * @param blockOf The block of a cell by its id.
 * @param options The shuffle.
 * @returns Lists of places in `ids`, each to be read and held at once.
 */
export function* shuffledPlaces(
  ids: Float64Array,
  blockOf: (id: number) => number,
  { seed, epoch = 0, blocks: atOnce = 4 }: ShuffleOptions,
): Generator<Uint32Array> {
  const starts: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (i === 0 || blockOf(ids[i]!) !== blockOf(ids[i - 1]!)) starts.push(i);
  }
  const base = mix(seed + Math.imul(epoch, 0x9e3779b9));
  const order = permutation(starts.length, base);
  for (let from = 0; from < order.length; from += atOnce) {
    const places = [...order.subarray(from, from + atOnce)].flatMap((block) => {
      const [start, end] = [starts[block]!, starts[block + 1] ?? ids.length];
      return Array.from({ length: end - start }, (_, k) => start + k);
    });
    yield permutation(places.length, base + from + 1).map((k) => places[k]!);
  }
}
