/** Which rows of two tables belong together by name. */
import { textComparer } from "./text_order.ts";

/** Which names a join keeps: those of both, those of the left table, or all. */
export type JoinHow = "inner" | "left" | "outer";

/** Rows of the left and right table side by side; -1 where a table has no such row. */
export interface JoinedRows {
  /** Rows of the left table. */
  readonly left: Int32Array;
  /** Rows of the right table. */
  readonly right: Int32Array;
}

/** Names whose hashes are computed together. */
const BLOCK = 64;

/**
 * 32-bit hashes of names: FNV-1a over their UTF-16 units, from their lengths. The lengths of a block are read first, as the
 * processor then waits for the memory of many names at once: names in no order take half the time.
 */
function hashNames(names: readonly string[]): Int32Array {
  const hashes = new Int32Array(names.length);
  for (let start = 0; start < names.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, names.length);
    for (let row = start; row < end; row++) hashes[row] = names[row]!.length;
    for (let row = start; row < end; row++) {
      const name = names[row]!;
      let hash = hashes[row]!;
      for (let k = 0; k < name.length; k++) hash = Math.imul(hash ^ name.charCodeAt(k), 0x01000193);
      hashes[row] = hash;
    }
  }
  return hashes;
}

/**
 * The rows of each name, as chains of rows whose hashes have the same low bits. Takes half the time of a Map of a million
 * names, as nothing is compared when it is made.
 */
class RowsByName {
  readonly #names: readonly string[];
  readonly #hashes: Int32Array;
  /** First row of each chain, -1 where it has none; as many as a power of 2 that is not less than the rows. */
  readonly #first: Int32Array;
  /** Next row of a row's chain, -1 after the last. */
  readonly #next: Int32Array;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#hashes = hashNames(names);
    this.#first = new Int32Array(2 ** Math.ceil(Math.log2(names.length + 1))).fill(-1);
    this.#next = new Int32Array(names.length);
    const mask = this.#first.length - 1;
    // From the last row to the first, so that chains ascend.
    for (let row = names.length - 1; row >= 0; row--) {
      const chain = this.#hashes[row]! & mask;
      this.#next[row] = this.#first[chain]!;
      this.#first[chain] = row;
    }
  }

  /** Where the search for each of some names starts; for all at once, as such reads then wait for memory together. */
  starts(hashes: Int32Array): Int32Array {
    const starts = new Int32Array(hashes.length);
    const mask = this.#first.length - 1;
    for (let k = 0; k < hashes.length; k++) starts[k] = this.#first[hashes[k]! & mask]!;
    return starts;
  }

  /** The first row of a name from a row of its chain on, -1 where there is none. */
  find(name: string, hash: number, from: number): number {
    let row = from;
    while (row >= 0 && (this.#hashes[row] !== hash || this.#names[row] !== name)) {
      row = this.#next[row]!;
    }
    return row;
  }

  /** The row after one in its chain, -1 where there is none. */
  after(row: number): number {
    return this.#next[row]!;
  }
}

/** Pairs of rows, as many as come. */
class Pairs {
  #left: Int32Array;
  #right: Int32Array;
  #length = 0;

  constructor(expected: number) {
    this.#left = new Int32Array(expected);
    this.#right = new Int32Array(expected);
  }

  add(left: number, right: number): void {
    if (this.#length === this.#left.length) {
      const more = 2 * this.#length + 16;
      [this.#left, this.#right] = [this.#left, this.#right].map((rows) => {
        const longer = new Int32Array(more);
        longer.set(rows);
        return longer;
      }) as [Int32Array, Int32Array];
    }
    this.#left[this.#length] = left;
    this.#right[this.#length++] = right;
  }

  rows(): JoinedRows {
    return {
      left: this.#left.slice(0, this.#length),
      right: this.#right.slice(0, this.#length),
    };
  }
}

/** Pairs by name, in code point order; pairs of one name keep their order. */
function byName({ left, right }: JoinedRows, nameOf: (pair: number) => string): JoinedRows {
  const names = Array.from(left, (_, pair) => nameOf(pair));
  const compare = textComparer(names);
  const order = [...names.keys()].sort((a, b) => compare(names[a]!, names[b]!));
  return {
    left: Int32Array.from(order, (pair) => left[pair]!),
    right: Int32Array.from(order, (pair) => right[pair]!),
  };
}

/** Pairs rows by name, as pandas' join on the index: in the order of the left table, or for "outer" by name. */
export function joinRows(
  left: readonly string[],
  right: readonly string[],
  how: JoinHow,
): JoinedRows {
  const byRight = new RowsByName(right);
  const hashes = hashNames(left);
  const starts = byRight.starts(hashes);
  const pairs = new Pairs(left.length);
  for (let row = 0; row < left.length; row++) {
    const name = left[row]!, hash = hashes[row]!;
    let match = byRight.find(name, hash, starts[row]!);
    if (match < 0 && how !== "inner") pairs.add(row, -1);
    while (match >= 0) {
      pairs.add(row, match);
      match = byRight.find(name, hash, byRight.after(match));
    }
  }
  if (how !== "outer") return pairs.rows();
  const used = new Uint8Array(right.length);
  for (const row of pairs.rows().right) if (row >= 0) used[row] = 1;
  used.forEach((flag, row) => flag || pairs.add(-1, row));
  const rows = pairs.rows();
  return byName(rows, (pair) => left[rows.left[pair]!] ?? right[rows.right[pair]!]!);
}
