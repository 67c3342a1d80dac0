import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkValueFilter,
  type FilterColumn,
  type FilterColumnType,
  filterRows,
  parseValueFilter,
  ValueFilterError,
} from "../../../data/soma/mod.ts";

const TYPES: Record<string, FilterColumnType> = {
  tissue: { kind: "categorical", ordered: false, categories: ["blood", "lung", "skin"] },
  stage: { kind: "categorical", ordered: true, categories: ["late", "early"] },
  n: { kind: "numeric" },
  score: { kind: "numeric" },
  primary: { kind: "boolean" },
  name: { kind: "string" },
  "cell type": { kind: "string" },
};

const COLUMNS: Record<string, FilterColumn> = {
  tissue: { kind: "categorical", codes: [0, 1, 2, 1, -1], categories: ["blood", "lung", "skin"] },
  stage: { kind: "categorical", codes: [0, 1, 0, -1, 1], categories: ["late", "early"] },
  n: { kind: "numeric", data: [1, 2, 3, 4, 5], mask: [0, 0, 0, 1, 0] },
  score: { kind: "numeric", data: Float32Array.of(0.1, 0.5, NaN, -1, 2) },
  primary: { kind: "boolean", data: [1, 0, 1, 0, 1], mask: undefined },
  name: { kind: "string", data: ["a", "b", "", "ü", "B"] },
  "cell type": { kind: "string", data: ["T", "B", "T", "B", "T"] },
};

/** Rows that pass, after the check that reading makes. */
function rows(text: string): number[] {
  const filter = parseValueFilter(text);
  checkValueFilter(filter, (name) => TYPES[name], Object.keys(TYPES));
  return [...filterRows(filter, (name) => COLUMNS[name]!, 5)].flatMap((pass, row) =>
    pass ? [row] : []
  );
}

const PASSING: [string, number[]][] = [
  ["n == 2", [1]],
  ["n != 2", [0, 2, 4]],
  ["not n != 2", [1]],
  ["2 <= n < 5", [1, 2]],
  ["4 > n", [0, 1, 2]],
  ["n == None", [3]],
  ["n != None", [0, 1, 2, 4]],
  ["n in [1, 5, 9,]", [0, 4]],
  ["n not in (1, 5)", [1, 2]],
  ["n in []", []],
  ["n >= -1e0", [0, 1, 2, 4]],
  ["n == 9007199254740993", []],
  ["score == 0.1", [0]],
  ["score <= .1", [0, 3]],
  ["not score <= .1", [1, 4]],
  ["tissue == 'lung'", [1, 3]],
  ['tissue != "lung"', [0, 2]],
  ["tissue != 'none such'", [0, 1, 2, 3]],
  ["tissue in ['lung', 'skin']", [1, 2, 3]],
  ["not tissue in ['lung', 'skin']", [0]],
  ["tissue == None or n == 1", [0, 4]],
  ["stage > 'late'", [1, 4]],
  ["stage <= 'late'", [0, 2]],
  ["stage < 'none such'", []],
  ["primary == True and not (n == 1 or n == 5)", [2]],
  ["primary == false", [1, 3]],
  ["primary == 1", [0, 2, 4]],
  ["name > 'a'", [1, 3]],
  ["name == 'ü' | name == ''", [2, 3]],
  ["(name == 'a') & (n == 1)", [0]],
  ["`cell type` == 'T'", [0, 2, 4]],
  ["attr('cell type') == val('B')", [1, 3]],
  ["name == 'a' or name == 'b' and n == 1", [0]],
  ["not (name == 'a' or not n == 2)", [1]],
];

for (const [text, passing] of PASSING) {
  Deno.test(`filterRows() passes the right rows of ${text}`, () =>
    assert.deepEqual(rows(text), passing));
}

const WRONG: [string, number, RegExp, string?][] = [
  ["tissue = 'lung'", 7, /"=" has no meaning \(equality is ==\)/],
  ["", 0, /a column or a value must stand here: got the end/],
  ["tissue == ", 10, /a column or a value must stand here/],
  ["tissue == 'lung", 10, /the quote ' has no end/],
  ["(n == 1", 7, /\) must stand here: got the end/],
  ["n == 1)", 6, /and, or, or the end must stand here: got "\)"/],
  ["n", 1, /a comparison must stand here/],
  ["n == tissue", 0, /a column must be compared with a value/],
  ["1 == 2", 0, /a column must be compared with a value/],
  ["'a' in ['a']", 0, /a column must stand before in/],
  ["n in 5", 5, /a list in \[ \] must stand here: got "5"/],
  ["n in [1 2]", 8, /, or \] must stand here: got "2"/],
  ["n == 1 $ 2", 7, /"\$" has no meaning/],
  ["n == 1 and tisue == 'x'", 11, /there is no column "tisue": did you mean "tissue"\?/, "tisue"],
  ["n == 'a'", 5, /the column "n" must be compared with a number: got "a"/, "n"],
  [
    "tissue == 5",
    10,
    /the column "tissue" must be compared with a text in quotes: got "5"/,
    "tissue",
  ],
  ["tissue in ['a', 5]", 16, /"tissue" must be compared with a text/, "tissue"],
  ["tissue < 'lung'", 0, /"tissue" holds categories without an order/, "tissue"],
  ["primary > True", 0, /"primary" holds truth values/, "primary"],
  ["primary == 2", 11, /"primary" must be compared with True or False/, "primary"],
  ["n < None", 4, /"n" can be compared with None by == and != alone/, "n"],
  ["n in [None]", 6, /None by == and != alone/, "n"],
  ["(".repeat(300) + "n == 1" + ")".repeat(300), 256, /at most 256 levels/],
];

for (const [text, position, pattern, column] of WRONG) {
  Deno.test(`parseValueFilter() and checkValueFilter() point at ${text.slice(0, 40)}`, () => {
    assert.throws(() => rows(text), (error) => {
      assert.ok(error instanceof ValueFilterError);
      assert.match(error.message, pattern);
      assert.deepEqual([error.position, error.column], [position, column]);
      return true;
    });
  });
}

Deno.test("ValueFilterError shows the line and marks the place", () => {
  assert.throws(() => parseValueFilter("n == 1 and\nn === 2"), (error) => {
    assert.ok(error instanceof ValueFilterError);
    assert.ok(error.message.endsWith("\n  n === 2\n      ^"), error.message);
    return true;
  });
});

Deno.test("filterRows() agrees with the same condition in plain code", () => {
  const leaf = fc.record({
    column: fc.constantFrom("n", "score"),
    op: fc.constantFrom("==", "!=", "<", "<=", ">", ">="),
    value: fc.constantFrom(-1, 0, 0.5, 1, 2, 3.5),
  });
  interface Tree {
    readonly kind: "and" | "or" | "not" | "leaf";
    readonly parts: readonly Tree[];
    readonly leaf?: { column: string; op: string; value: number };
  }
  const tree = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf.map((leaf): Tree => ({ kind: "leaf", parts: [], leaf })),
      fc.record({
        kind: fc.constantFrom("and", "or"),
        parts: fc.array(tie("tree"), { minLength: 2, maxLength: 3 }),
      }) as fc.Arbitrary<Tree>,
      tie("tree").map((part): Tree => ({ kind: "not", parts: [part] })),
    ),
  })).tree;
  const write = (tree: Tree): string =>
    tree.leaf
      ? `${tree.leaf.column} ${tree.leaf.op} ${tree.leaf.value}`
      : tree.kind === "not"
      ? `not (${write(tree.parts[0]!)})`
      : `(${tree.parts.map(write).join(` ${tree.kind} `)})`;
  /** Undefined for a missing value, as in SQL. */
  const holds = (tree: Tree, row: number): boolean | undefined => {
    if (tree.kind === "not") {
      const part = holds(tree.parts[0]!, row);
      return part === undefined ? undefined : !part;
    }
    if (tree.leaf === undefined) {
      const parts = tree.parts.map((part) => holds(part, row));
      const decisive = tree.kind === "or";
      if (parts.includes(decisive)) return decisive;
      return parts.includes(undefined) ? undefined : !decisive;
    }
    const column = COLUMNS[tree.leaf.column] as Extract<FilterColumn, { kind: "numeric" }>;
    const [a, b] = [column.data[row] as number, tree.leaf.value];
    if (column.mask?.[row] || Number.isNaN(a)) return undefined;
    return {
      "==": a === b,
      "!=": a !== b,
      "<": a < b,
      "<=": a <= b,
      ">": a > b,
      ">=": a >= b,
    }[tree.leaf.op];
  };
  fc.assert(
    fc.property(tree, (tree) => {
      const wanted = [0, 1, 3, 4].filter((row) => holds(tree, row) === true);
      assert.deepEqual(rows(write(tree)).filter((row) => row !== 2), wanted, write(tree));
    }),
    { seed: 5, numRuns: 300 },
  );
});
