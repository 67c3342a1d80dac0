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
  readonly #next: Int32Array;

  constructor(names: readonly string[]) {
    this.#next = new Int32Array(names.length).fill(-1);
    for (let row = names.length - 1; row >= 0; row--) {
      this.#next[row] = this.#first.get(names[row]!) ?? -1;
      this.#first.set(names[row]!, row);
    }
  }

  first(name: string): number {
    return this.#first.get(name) ?? -1;
  }

  next(row: number): number {
    return this.#next[row]!;
  }
}

/** Both lists by name, in code point order; equal names keep their order. */
function byName(
  pairs: { left: number[]; right: number[] },
  nameOf: (pair: number) => string,
): JoinedRows {
  const names = pairs.left.map((_, pair) => nameOf(pair));
  const compare = textComparer(names);
  const order = [...names.keys()].sort((a, b) => compare(names[a]!, names[b]!));
  return {
    left: Int32Array.from(order, (pair) => pairs.left[pair]!),
    right: Int32Array.from(order, (pair) => pairs.right[pair]!),
  };
}

/** Pairs rows by name, as pandas' join on the index: in the order of the left table, or for "outer" by name. */
export function joinRows(
  left: readonly string[],
  right: readonly string[],
  how: JoinHow,
): JoinedRows {
  const rows = new RowsByName(right);
  const pairs = { left: [] as number[], right: [] as number[] };
  const used = new Uint8Array(right.length);
  for (let row = 0; row < left.length; row++) {
    let match = rows.first(left[row]!);
    if (match < 0 && how !== "inner") {
      pairs.left.push(row);
      pairs.right.push(-1);
    }
    for (; match >= 0; match = rows.next(match)) {
      pairs.left.push(row);
      pairs.right.push(match);
      used[match] = 1;
    }
  }
  if (how === "outer") {
    used.forEach((flag, row) => flag || (pairs.left.push(-1), pairs.right.push(row)));
    return byName(pairs, (pair) => left[pairs.left[pair]!] ?? right[pairs.right[pair]!]!);
  }
  return { left: Int32Array.from(pairs.left), right: Int32Array.from(pairs.right) };
}
