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

/** The rows of each name: the first one, and for each row the next of the same name. */
class RowsByName {
  readonly #first = new Map<string, number>();
  /** Next row of the same name, -1 after the last; undefined where no name repeats. */
  readonly #next: Int32Array | undefined;

  constructor(names: readonly string[]) {
    for (let row = names.length - 1; row >= 0; row--) this.#first.set(names[row]!, row);
    if (this.#first.size === names.length) return;
    this.#next = new Int32Array(names.length).fill(-1);
    const last = new Map<string, number>();
    for (let row = 0; row < names.length; row++) {
      const before = last.get(names[row]!);
      if (before !== undefined) this.#next[before] = row;
      last.set(names[row]!, row);
    }
  }

  first(name: string): number {
    return this.#first.get(name) ?? -1;
  }

  next(row: number): number {
    return this.#next === undefined ? -1 : this.#next[row]!;
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
  const pairs = new Pairs(left.length);
  const used = new Uint8Array(right.length);
  for (let row = 0; row < left.length; row++) {
    let match = byRight.first(left[row]!);
    if (match < 0 && how !== "inner") pairs.add(row, -1);
    for (; match >= 0; match = byRight.next(match)) {
      pairs.add(row, match);
      used[match] = 1;
    }
  }
  if (how !== "outer") return pairs.rows();
  used.forEach((flag, row) => flag || pairs.add(-1, row));
  const rows = pairs.rows();
  return byName(rows, (pair) => left[rows.left[pair]!] ?? right[rows.right[pair]!]!);
}
