/** Which cells learn, which validate, and in what order: drawn from the seed alone. */
import { philox, RandomStream, seedKey, STREAM, uniform53 } from "../../gpu/mod.ts";
import type { CellKey } from "../input/draws.ts";
import { refuseUnknownKeys } from "../options.ts";

/** Settings of {@linkcode splitCells}. */
export interface SplitOptions {
  /** Share of the cells that validate, in [0, 1); 0.1 by default, as published. */
  readonly validation?: number;
  /** Group of each cell, so that every group gives its share; none by default, as published. */
  readonly stratify?: Uint32Array;
  /** Seed; 0 by default. */
  readonly seed?: number;
}

/** Rows of cells. */
export interface CellSplit {
  /** Cells that learn, ascending. */
  readonly train: Uint32Array<ArrayBuffer>;
  /** Cells that validate, ascending. */
  readonly validation: Uint32Array<ArrayBuffer>;
}

/**
 * Parts cells into those that learn and those that validate: the cells with the smallest draws validate, and a draw depends on seed and
 * name of the cell alone. A group of one cell learns.
 *
 * @param keys Key of each cell
 * @throws {RangeError} For a share outside [0, 1), or groups of another number of cells
 */
export function splitCells(keys: readonly CellKey[], options: SplitOptions = {}): CellSplit {
  refuseUnknownKeys(options, ["validation", "stratify", "seed"], "split cells");
  const { validation: share = 0.1, stratify, seed = 0 } = options;
  if (!(share >= 0 && share < 1)) {
    throw new RangeError(`Cannot split cells as validation must be in [0, 1): got ${share}`);
  }
  if (stratify !== undefined && stratify.length !== keys.length) {
    throw new RangeError(
      `Cannot split cells as stratify must have a group for each of ${keys.length} cells: got ${stratify.length}`,
    );
  }
  const words = seedKey(seed);
  const draw = keys.map(([low, high]) => {
    const [a, b] = philox([0, low, high, STREAM.split], words);
    return uniform53(a, b);
  });
  const groups = Map.groupBy(keys.keys(), (cell) => stratify?.[cell] ?? 0);
  const validation: number[] = [];
  for (const cells of groups.values()) {
    const count = Math.min(Math.round(cells.length * share), cells.length - 1);
    validation.push(...cells.toSorted((a, b) => draw[a]! - draw[b]! || a - b).slice(0, count));
  }
  const chosen = new Set(validation);
  const train = [...keys.keys()].filter((cell) => !chosen.has(cell));
  return {
    train: Uint32Array.from(train),
    validation: Uint32Array.from(validation).sort(),
  };
}

/** Settings of {@linkcode epochBatches}. */
export interface OrderOptions {
  /** Cells of a step. */
  readonly batchSize: number;
  /** Seed. */
  readonly seed: number;
  /** Number of the epoch, which changes the order. */
  readonly epoch: number;
  /** Domain of each cell of the data: batches are then of one domain each, as a norm for each domain needs. */
  readonly domains?: Uint32Array | undefined;
}

/** The cells of an epoch in shuffled batches; the last one (of each domain) may be smaller. */
export function epochBatches(
  cells: Uint32Array,
  { batchSize, seed, epoch, domains }: OrderOptions,
): Uint32Array<ArrayBuffer>[] {
  const random = new RandomStream(seed, STREAM.order, [epoch, 0]);
  const groups = Map.groupBy(cells, (cell) => domains?.[cell] ?? 0);
  const batches: Uint32Array<ArrayBuffer>[] = [];
  for (const [, group] of [...groups].sort(([a], [b]) => a - b)) {
    shuffle(group, random);
    for (let at = 0; at < group.length; at += batchSize) {
      batches.push(Uint32Array.from(group.slice(at, at + batchSize)));
    }
  }
  if (groups.size > 1) shuffle(batches, random);
  return batches;
}

/** Fisher and Yates, in place. */
function shuffle<T>(items: T[], random: RandomStream): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
}
